//! Recordings of the real tools: format and comparison, for the tests of the library and of the executable.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use lzma_rust2::XzReader;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Longer output is recorded as hash and length.
const LONG: usize = 1500;

#[derive(Deserialize)]
pub(crate) struct Scenario {
    pub(crate) id: String,
    pub(crate) size: u32,
    pub(crate) erase: u32,
    pub(crate) space: Option<u32>,
    pub(crate) image: Option<String>,
    pub(crate) procmtd: Option<String>,
    #[serde(default)]
    pub(crate) ub: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Deserialize)]
pub(crate) struct Step {
    pub(crate) argv: Option<Vec<String>>,
    pub(crate) ev: Option<String>,
    pub(crate) r: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) alt: HashMap<String, Map<String, Value>>,
    pub(crate) image: Option<String>,
    pub(crate) what: Option<String>,
    #[serde(default)]
    pub(crate) len: usize,
    #[serde(default)]
    pub(crate) at: usize,
    pub(crate) hex: Option<String>,
    #[serde(default)]
    pub(crate) op: u64,
    #[serde(default)]
    pub(crate) bytes: u32,
}

impl Step {
    /// Arguments as bytes: the recordings are Latin-1.
    pub(crate) fn args(&self) -> Option<Vec<Vec<u8>>> {
        Some(self.argv.as_ref()?.iter().map(|arg| latin1(arg)).collect())
    }

    /// The result of the real tool in a variant.
    pub(crate) fn expected(&self, variant: &str) -> Map<String, Value> {
        let mut expected = self.r.clone().expect("a command step has a result");
        let alt = self.alt.get(variant).cloned().unwrap_or_default();
        for key in ["out", "err"] {
            let (sha, len) = (format!("{key}_sha256"), format!("{key}_len"));
            if alt.contains_key(key) {
                expected.remove(&sha);
                expected.remove(&len);
            }
            if alt.contains_key(&sha) {
                expected.remove(key);
            }
        }
        expected.extend(alt);
        expected
    }

    pub(crate) fn poke(&self) -> Vec<u8> {
        let hex = self.hex.as_deref().expect("a poke has bytes").as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hex digit") as u8;
        hex.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }
}

pub(crate) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect()
}

/// The recordings of one real tool.
#[derive(Clone, Copy)]
pub(crate) struct Recordings {
    /// The pack in tests/data/golden.
    pub(crate) pack: &'static str,
    /// The dialect in a pack with several.
    pub(crate) dialect: Option<&'static str>,
    /// The build or generation of the tool, a key of [`Step::alt`].
    pub(crate) variant: &'static str,
}

impl Recordings {
    pub(crate) const fn openwrt(variant: &'static str) -> Self {
        Self { pack: "openwrt", dialect: None, variant }
    }

    pub(crate) const fn of(
        pack: &'static str,
        dialect: &'static str,
        variant: &'static str,
    ) -> Self {
        Self { pack, dialect: Some(dialect), variant }
    }

    /// The scenarios, without those in which the variant `skip_ub` of the real tool crashed.
    pub(crate) fn scenarios(self, skip_ub: Option<&str>) -> Vec<Scenario> {
        let text = String::from_utf8(unpack(&format!("{}.jsonl.xz", self.pack))).expect("UTF-8");
        let ours = self.dialect.map(|dialect| format!("{{\"dialect\":\"{dialect}\","));
        text.lines()
            .filter(|line| ours.as_ref().is_none_or(|ours| line.starts_with(ours)))
            .map(|line| serde_json::from_str::<Scenario>(line).expect("a scenario"))
            .filter(|scenario| {
                !skip_ub.is_some_and(|variant| scenario.ub.iter().any(|ub| ub == variant))
            })
            .collect()
    }

    pub(crate) fn images(self) -> Images {
        let packed = unpack(&format!("{}.images.xz", self.pack));
        let end = packed.iter().position(|byte| *byte == b'\n').expect("an index");
        let index: Vec<(String, usize, usize)> =
            serde_json::from_slice(&packed[..end]).expect("an index");
        let mut at = end + 1;
        let mut images = HashMap::new();
        for (name, size, stored) in index {
            images.insert(name, (at, size, stored));
            at += stored;
        }
        Images { packed, images }
    }
}

/// The images of a pack.
pub(crate) struct Images {
    packed: Vec<u8>,
    /// Position, size and stored bytes of each image.
    images: HashMap<String, (usize, usize, usize)>,
}

impl Images {
    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        let (at, size, stored) = self.images[name];
        // `resize` is slow without optimisation of the standard library's code.
        let mut image = vec![0xFF; size];
        image[..stored].copy_from_slice(&self.packed[at..at + stored]);
        image
    }
}

fn unpack(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden").join(name);
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    XzReader::new(&packed[..], true).read_to_end(&mut bytes).expect("recordings are complete");
    bytes
}

/// Hashes in the recordings are cut to this length.
const HASH_LEN: usize = 16;

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..HASH_LEN / 2].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The contents of flash and staging file; `None` for a missing file.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Stores {
    pub(crate) flash: Option<Vec<u8>>,
    pub(crate) staging: Option<Vec<u8>>,
}

/// The effects of a command, in the format of the recordings.
pub(crate) struct Seen {
    pub(crate) rc: Value,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) after: Stores,
    /// Kind, offset, length.
    pub(crate) ops: Vec<(char, u32, u32)>,
    /// Erase-block size of the device.
    pub(crate) erase: u32,
}

impl Seen {
    /// The sizes of write() calls that give these operations. mtdblock erases and programs whole blocks, so the
    /// recorded size is returned if it rounds up to the programmed size.
    fn writes(&self, recorded: Option<&Value>) -> Value {
        let programmed: u64 = self
            .ops
            .iter()
            .filter(|(kind, ..)| *kind == 'P')
            .map(|(.., len)| u64::from(*len))
            .sum();
        let size = self.after.flash.as_ref().map_or(0, Vec::len) as u64;
        let rounded = |bytes: u64| bytes.next_multiple_of(u64::from(self.erase)).min(size);
        match recorded.and_then(|w| w.get(0)).and_then(Value::as_u64) {
            Some(bytes) if rounded(bytes) == programmed => serde_json::json!([bytes]),
            _ if programmed == 0 => Value::Array(vec![]),
            _ => serde_json::json!([programmed]),
        }
    }
}

fn put_text(result: &mut Map<String, Value>, key: &str, bytes: &[u8]) {
    if bytes.len() > LONG {
        result.insert(format!("{key}_sha256"), sha256(bytes).into());
        result.insert(format!("{key}_len"), bytes.len().into());
    } else {
        result.insert(
            key.into(),
            bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
        );
    }
}

fn hash_or_equal(now: Option<&Vec<u8>>, before: Option<&Vec<u8>>) -> Value {
    match now {
        None => Value::Null,
        Some(_) if now == before => "=".into(),
        Some(bytes) => sha256(bytes).into(),
    }
}

/// The differences between the observed and the recorded effects; empty if they agree.
pub(crate) fn differences(expected: &Map<String, Value>, before: &Stores, seen: &Seen) -> String {
    let mut got = Map::new();
    got.insert("rc".into(), seen.rc.clone());
    put_text(&mut got, "out", &seen.stdout);
    put_text(&mut got, "err", &seen.stderr);
    got.insert("flash".into(), hash_or_equal(seen.after.flash.as_ref(), before.flash.as_ref()));
    got.insert(
        "staging".into(),
        hash_or_equal(seen.after.staging.as_ref(), before.staging.as_ref()),
    );
    got.insert(
        "ops".into(),
        seen.ops.iter().map(|(k, o, l)| serde_json::json!([k.to_string(), o, l])).collect(),
    );
    got.insert("w".into(), seen.writes(expected.get("w")));
    let cut = expected.get("rc").is_some_and(|rc| rc == "cut");
    // A crash of the real tool is emulated as one line on stderr and the exit code of a shell for its signal.
    let signal = expected.get("rc").and_then(Value::as_i64).filter(|rc| *rc < 0);
    let crash = signal.is_some();
    if let Some(signal) = signal
        && (seen.rc != 128 - signal || seen.stderr.split(|byte| *byte == b'\n').count() != 2)
    {
        return format!(
            "\n  a crash must be one line and exit code {}, got {}",
            128 - signal,
            seen.rc
        );
    }
    let mut text = String::new();
    for (key, want) in expected {
        let printed = key == "rc" || key.starts_with("out") || key.starts_with("err");
        if !((cut || crash) && printed) && got.get(key) != Some(want) {
            let _ = write!(
                text,
                "\n  {key}: expected {want}, got {}",
                got.get(key).unwrap_or(&Value::Null)
            );
        }
    }
    text
}
