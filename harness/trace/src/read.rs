//! Reads a recording from its folder.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use dnsmasq_model::{LeaseLine, duid_of_line};
use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, SeqAccess, Visitor};

/// A recording that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file or folder cannot be opened.
    #[error("{path}: {error}")]
    Io {
        /// What could not be opened.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is no JSON of the expected shape.
    #[error("{path}:{line}:{column}: {message}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// There is no recording in the folder.
    #[error(
        "{0}: no recording here; expected meta.json, stimuli.jsonl and calls.jsonl in it or in the folders below"
    )]
    Nothing(PathBuf),
    /// A value that the engine cannot take.
    #[error("{path}:{line}: {message}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

/// Bytes as a recording writes them: UTF-8, bytes that are none as lone surrogates U+DC80 to U+DCFF.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                Ok(Bytes(text.as_bytes().to_vec()))
            }
            fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(unescape(text)))
            }
        }
        deserializer.deserialize_bytes(Text)
    }
}

/// Turns the three bytes of a lone surrogate U+DC80..U+DCFF (ED B2 80 to ED B3 BF) back into the byte it stands for.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        if let [0xed, b @ (0xb2 | 0xb3), c @ 0x80..=0xbf, ..] = rest {
            out.push(((b - 0xb0) << 6) | (c & 0x3f));
            rest = &rest[3..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

/// A DHCPv4 vendor class, or a DHCPv6 one with its enterprise number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vendor {
    /// Option 60.
    V4(Bytes),
    /// Option 16.
    V6(u32, Vec<Bytes>),
}

impl<'de> Deserialize<'de> for Vendor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Vendor, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Vendor;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or a list of an enterprise number and strings")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vendor, E> {
                Ok(Vendor::V4(Bytes(text.as_bytes().to_vec())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vendor, A::Error> {
                let number =
                    list.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let mut classes = Vec::new();
                while let Some(class) = list.next_element()? {
                    classes.push(class);
                }
                Ok(Vendor::V6(number, classes))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `meta.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Meta {
    /// Name of the trace, without its build.
    pub name: String,
    /// `rtc` or `no-rtc`.
    pub build: String,
    /// Command line of the first start.
    pub cmdline: Vec<String>,
    /// `virtual`, `real` or `faketime`.
    pub clock: String,
    /// Wall clock at the beginning.
    pub wall0: f64,
    /// Monotonic clock at the beginning.
    pub mono0: f64,
    /// `upstream` or `v6aware`.
    pub store_mode: String,
    /// Order in which `init` prints the store: `insert`, `reverse` or `sorted`.
    pub init_order: String,
    /// Why two recordings may differ.
    pub racy: Option<String>,
    /// Number of stimuli.
    pub stimuli: u64,
    /// Number of calls.
    pub calls: u64,
    /// Calls by action.
    pub by_action: BTreeMap<String, u64>,
    /// The store at the end.
    pub store_final: Vec<Bytes>,
}

/// An identity association of a DHCPv6 stimulus or answer.
#[derive(Debug, Clone, Deserialize)]
pub struct IaRecord {
    /// `na` or `ta`.
    #[serde(rename = "type")]
    pub kind: String,
    /// IAID.
    pub iaid: u32,
    /// Addresses.
    #[serde(default)]
    pub addr: Vec<String>,
    /// Valid lifetime.
    #[serde(default)]
    pub valid: Option<u32>,
    /// Status code.
    #[serde(default)]
    pub status: Option<u16>,
}

/// What came back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// Type of the answer; none: silence.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Address given.
    pub ip: Option<String>,
    /// Lease time given.
    pub lease_time: Option<u32>,
    /// Why it was refused.
    pub message: Option<String>,
    /// Exit status of dnsmasq; none: it runs.
    pub rc: Option<i32>,
    /// When SIGALRM fired.
    pub alarms: Option<Vec<f64>>,
    /// Associations of an answer.
    pub ia: Vec<IaRecord>,
    /// Server's DUID in an answer.
    pub server_duid: Option<String>,
    /// Bytes transferred.
    pub size: Option<u64>,
}

/// One line of `stimuli.jsonl`: a thing done to dnsmasq.
#[derive(Debug, Clone, Deserialize)]
pub struct Stimulus {
    /// Number, from 0.
    pub i: u64,
    /// Seconds since the trace began.
    pub t: f64,
    /// `CLOCK_REALTIME`.
    pub wall: f64,
    /// `CLOCK_MONOTONIC`.
    pub mono: f64,
    /// What is done.
    #[serde(rename = "do")]
    pub kind: String,
    /// Calls made between this and rest.
    #[serde(default)]
    pub calls: Option<(u64, u64)>,
    /// What came back.
    #[serde(default)]
    pub res: Option<Answer>,
    /// Command line of a start.
    #[serde(default)]
    pub argv: Option<Vec<String>>,
    /// Client's hardware address.
    #[serde(default)]
    pub mac: Option<String>,
    /// ARP hardware type.
    #[serde(default)]
    pub htype: Option<u16>,
    /// Host name sent.
    #[serde(default)]
    pub hostname: Option<Bytes>,
    /// Name in option 81.
    #[serde(default)]
    pub fqdn: Option<Bytes>,
    /// Client-id.
    #[serde(default)]
    pub clid: Option<String>,
    /// Vendor class.
    #[serde(default)]
    pub vendor: Option<Vendor>,
    /// User classes.
    #[serde(default)]
    pub user_class: Option<Vec<Bytes>>,
    /// Options asked for (DHCPv4).
    #[serde(default)]
    pub prl: Option<Vec<u8>>,
    /// Options asked for (DHCPv6).
    #[serde(default)]
    pub oro: Option<Vec<u16>>,
    /// MUD URL.
    #[serde(default)]
    pub mud: Option<Bytes>,
    /// Suboptions of the relay agent.
    #[serde(default)]
    pub agent: Option<BTreeMap<String, Bytes>>,
    /// Number of the relay agent's network.
    #[serde(default)]
    pub relay: Option<u8>,
    /// Address asked for, or the client's own.
    #[serde(default)]
    pub ip: Option<String>,
    /// Lease time asked for.
    #[serde(default)]
    pub lease_time: Option<u32>,
    /// Whether rapid commit is asked for.
    #[serde(default)]
    pub rapid: Option<u8>,
    /// Seconds that pass.
    #[serde(default)]
    pub dt: Option<f64>,
    /// Seconds by which the wall clock jumps.
    #[serde(default)]
    pub delta: Option<f64>,
    /// Wall clock after a reboot.
    #[serde(default)]
    pub to_wall: Option<f64>,
    /// Monotonic clock after a reboot.
    #[serde(default)]
    pub to_mono: Option<f64>,
    /// Seconds that a reboot takes.
    #[serde(default)]
    pub down: Option<f64>,
    /// File written.
    #[serde(default)]
    pub path: Option<String>,
    /// Its contents; none: it is removed.
    #[serde(default)]
    pub text: Option<Bytes>,
    /// `add` or `del` of a neighbour.
    #[serde(default)]
    pub op: Option<String>,
    /// Client's DUID.
    #[serde(default)]
    pub duid: Option<String>,
    /// Associations of a message.
    #[serde(default)]
    pub ia: Option<Vec<IaRecord>>,
    /// File transferred.
    #[serde(default)]
    pub file: Option<String>,
}

/// One line of `calls.jsonl`: a script call.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// Number, from 0.
    pub seq: u64,
    /// Seconds since the trace began.
    pub t: f64,
    /// `CLOCK_REALTIME`.
    pub wall: f64,
    /// `CLOCK_MONOTONIC`.
    pub mono: f64,
    /// Arguments.
    pub argv: Vec<Bytes>,
    /// The `DNSMASQ_*` variables.
    pub env: BTreeMap<String, Bytes>,
    /// Whether the call changed the stored text.
    #[serde(default)]
    pub chg: Option<u8>,
    /// What `init` printed.
    #[serde(default)]
    pub out: Option<Bytes>,
    /// What `init` returned; negative: the signal that ended it.
    #[serde(default)]
    pub rc: Option<i32>,
}

/// A recording.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Its folder.
    pub folder: PathBuf,
    /// `meta.json`.
    pub meta: Meta,
    /// `stimuli.jsonl`.
    pub stimuli: Vec<Stimulus>,
    /// `calls.jsonl`.
    pub calls: Vec<Call>,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// A file is missing, or is not JSON of the expected shape.
    pub fn read(folder: &Path) -> Result<Recording, TraceError> {
        let meta_path = folder.join("meta.json");
        let meta = json(&meta_path, &text(&meta_path)?, 0)?;
        Ok(Recording {
            folder: folder.to_owned(),
            meta,
            stimuli: lines(&folder.join("stimuli.jsonl"))?,
            calls: lines(&folder.join("calls.jsonl"))?,
        })
    }

    /// What was stored before the recording began, as variables: what its first call, an `init`, printed.
    #[must_use]
    pub fn found(&self) -> Vec<Vec<u8>> {
        let first = self.calls.first().and_then(|call| call.out.as_ref());
        let lines = first.map_or(&[][..], |out| &out.0).split(|byte| *byte == b'\n');
        let variable = |line: &[u8]| {
            let name = match duid_of_line(line) {
                Some(_) => &b"duid"[..],
                None => LeaseLine::parse(line)?.address,
            };
            Some([b"dnsmasq_lease_", name, b"=", line].concat())
        };
        lines.filter_map(variable).collect()
    }

    /// The folder's name.
    #[must_use]
    pub fn label(&self) -> String {
        self.folder.file_name().map_or_else(
            || self.folder.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}

fn text(path: &Path) -> Result<Vec<u8>, TraceError> {
    std::fs::read(path).map_err(|error| TraceError::Io { path: path.to_owned(), error })
}

fn json<T: DeserializeOwned>(
    path: &Path,
    text: &[u8],
    lines_before: usize,
) -> Result<T, TraceError> {
    serde_json::from_slice(text).map_err(|error| TraceError::Json {
        path: path.to_owned(),
        line: lines_before + error.line().max(1),
        column: error.column().max(1),
        message: {
            let full = error.to_string();
            full.rsplit_once(" at line ").map_or(full.clone(), |(what, _)| what.to_owned())
        },
    })
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, TraceError> {
    text(path)?
        .split(|&b| b == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| json(path, line, number))
        .collect()
}

/// The folders with a recording at or below `path`, sorted by name.
///
/// # Errors
/// The path cannot be read, or nothing there is a recording.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, TraceError> {
    let is_trace = |folder: &Path| {
        folder.join("meta.json").is_file() || folder.join("stimuli.jsonl").is_file()
    };
    if is_trace(path) {
        return Ok(vec![path.to_owned()]);
    }
    let io = |error| TraceError::Io { path: path.to_owned(), error };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        let folder = entry.map_err(io)?.path();
        if folder.is_dir() && is_trace(&folder) {
            found.push(folder);
        }
    }
    if found.is_empty() {
        return Err(TraceError::Nothing(path.to_owned()));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_survive() {
        let read = |text: &str| serde_json::from_str::<Bytes>(text).expect("a string").0;
        assert_eq!(read(r#""caf\u00e9""#), "café".as_bytes());
        assert_eq!(read(r#""caf\udce9""#), b"caf\xe9");
        assert_eq!(read(r#""a\u0000b""#), b"a\0b");
    }
}
