//! Compares the reader of the journal with the parser of dhcpd's whole grammar, on recordings of dhcpd.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use lease_formats::dhcpd::{
    BindingState, Consequence, Date, Hardware, Options, SetValue, View, read_bytes,
};
use lease_journal::{Block, Reading, Subject};
use lzma_rust2::XzReader;

/// The compared values of an active lease: its end, hardware address, client identifier, name and variables.
type Values = (Date, Option<Hardware>, Vec<u8>, Option<Vec<u8>>, Vec<(String, Vec<u8>)>);

/// The active leases and the DUID of the server.
type Leases = (BTreeMap<(IpAddr, Vec<u8>), Values>, Option<Vec<u8>>);

fn variables(set: &[(String, SetValue)]) -> Vec<(String, Vec<u8>)> {
    let data = |(name, value): &(String, SetValue)| match value {
        SetValue::Data(bytes) => Some((name.clone(), bytes.clone())),
        SetValue::Number(_) | SetValue::Boolean(_) => None,
    };
    set.iter().filter_map(data).collect()
}

/// Returns the leases that the parser of dhcpd's grammar finds, and whether something is lost.
fn parsed(text: &[u8]) -> (Leases, bool) {
    let reading = read_bytes(text, &Options::new(View::Salvage, 0));
    let mut leases = BTreeMap::new();
    for lease in reading.leases().filter(|lease| lease.state == BindingState::Active) {
        let values = (
            lease.ends,
            lease.hardware.clone(),
            lease.uid.clone(),
            lease.hostname.clone(),
            variables(&lease.set),
        );
        leases.insert((lease.address.into(), Vec::new()), values);
    }
    for ia in reading.ias() {
        for held in ia.addresses.iter().filter(|held| held.state == BindingState::Active) {
            let values = (held.ends, None, Vec::new(), None, variables(&held.set));
            leases.insert((held.address.into(), ia.id.clone()), values);
        }
    }
    let is_lossy =
        reading.diagnostics.iter().any(|found| found.consequence != Consequence::Nothing);
    ((leases, reading.server_duid), is_lossy)
}

fn values(block: Block<'_>, names: &[(String, Vec<u8>)]) -> Values {
    let set = names.iter().filter_map(|(name, _)| Some((name.clone(), block.variable(name)?)));
    (
        block.ends(),
        block.hardware(),
        block.uid().unwrap_or_default(),
        block.hostname(),
        set.collect(),
    )
}

/// Returns the leases that the reader of the journal finds, and whether it reports a problem. The reader can only look up
/// variables by name, so the names are those in `parsed`.
fn read(text: &[u8], parsed: &Leases) -> (Leases, bool) {
    let reading = Reading::parse(text);
    let mut leases = BTreeMap::new();
    let mut enter = |key: (IpAddr, Vec<u8>), block: Block<'_>| {
        if block.is_active() {
            let names = parsed.0.get(&key).map_or(&[][..], |values| &values.4);
            leases.insert(key, values(block, names));
        }
    };
    for declaration in reading.declarations() {
        match declaration.subject() {
            Subject::Lease(address) => enter(((*address).into(), Vec::new()), declaration.block()),
            Subject::Association(_, id) => {
                for (address, block) in declaration.block().addresses() {
                    enter((address.into(), id.clone()), block);
                }
            }
            Subject::ServerDuid | Subject::Other(_) => {}
        }
    }
    ((leases, reading.server_duid().map(<[u8]>::to_vec)), reading.fault().is_some())
}

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/tests/data").join(path)
}

/// Returns all files below a folder. Packed files are unpacked.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
            continue;
        }
        let mut bytes = fs::read(&path).expect("readable");
        if path.extension().is_some_and(|extension| extension == "xz") {
            let mut unpacked = Vec::new();
            XzReader::new(&bytes[..], true).read_to_end(&mut unpacked).expect("complete");
            bytes = unpacked;
        }
        found.push((path.display().to_string(), bytes));
    }
    found.sort();
    found
}

/// Recordings of dhcpd yield the same leases, and no problem if the parser finds none.
#[test]
fn journals_of_dhcpd_are_read_like_its_grammar() {
    let mut count = 0;
    for (name, text) in files(&data("dhcpd-journals")) {
        let (wanted, is_lossy) = parsed(&text);
        if is_lossy || wanted.0.is_empty() {
            continue;
        }
        count += 1;
        let (got, is_faulty) = read(&text, &wanted);
        assert!(!is_faulty, "{name}: {:?}", Reading::parse(&text).fault());
        assert!(got == wanted, "{name}");
    }
    assert!(count > 15, "{count}");
}

/// Checks a text that no server writes: a difference must be reported, unless the parser also reports a loss.
fn check(name: &str, text: &[u8]) {
    let (wanted, is_lossy) = parsed(text);
    let (got, is_faulty) = read(text, &wanted);
    let is_noticed = is_faulty || is_lossy;
    assert!(is_noticed || got == wanted, "{name}: {got:?}\n{wanted:?}\n{}", text.escape_ascii());
}

#[test]
fn nothing_of_odd_texts_is_lost_silently() {
    for (name, text) in files(&data("dhcpd-corpus")) {
        check(&name, &text);
    }
    let recorded = fs::read(data("dhcpd-differential.jsonl.xz")).expect("recordings");
    let mut text = String::new();
    XzReader::new(&recorded[..], true).read_to_string(&mut text).expect("text");
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let file = case["file"].as_str().expect("text").chars().map(|c| c as u8);
        check("dhcpd-differential.jsonl", &file.collect::<Vec<u8>>());
    }
    fuzz_the_journal_reader();
}

/// Replays the packed inputs of the fuzz test of this name.
fn fuzz_the_journal_reader() {
    fn inner() {}
    fuzz_inputs::replay(&inner, &|text| check("fuzz_the_journal_reader", text));
}

/// Damage of any kind takes time in proportion to the length of the text. Otherwise, this test takes hours.
#[test]
fn long_damaged_texts_are_read_in_linear_time() {
    let lines = |line: &str| line.repeat(1_000_000 / line.len());
    let body = |line: &str| format!("lease 10.0.0.1 {{\n{}}}\n", lines(line));
    for text in [
        lines("lease 10.0.0.1 {\n"),
        lines("host a {\n"),
        lines("server-duid \"\n"),
        lines("{\n"),
        lines("x\n"),
        body("x\n"),
        body("on x {\n"),
        body("uid \"\n"),
        body("x y;\n"),
    ] {
        assert!(Reading::parse(text.as_bytes()).fault().is_some());
    }
}
