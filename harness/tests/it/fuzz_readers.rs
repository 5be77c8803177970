//! Fuzz tests of the parsers of scenarios, ids and recordings.

use std::path::Path;

use explore::fuzz;
use lab_report::Document;
use scenario::Id;
use scenario::{self, Overrides};
use trace::Recording;
use trace::import::{Log, LogError};

use crate::import::LOG;

/// Fragments of valid inputs, so that random texts get past the first bracket.
const WORDS: [&str; 40] = [
    "[[step]]\n",
    "[router]\n",
    "[server]\n",
    "[parameters]\n",
    "[[breaks]]\n",
    "title = \"x\"\n",
    "boot = {}\n",
    "join = { client = \"pc\", count = 2 }\n",
    "cut = \"",
    "kill = \"after set\"\n",
    "nvram 2 op 1 byte 9",
    "\"\n",
    "at-call = ",
    "dialect = ",
    "[\"openwrt\", \"broadcom\"]\n",
    "\"$dialect\"\n",
    "\"${x}$$\"\n",
    "$",
    "advance = \"",
    "1h30m",
    "99999999999y",
    "-5m",
    "1970-01-01T00:00:30Z",
    "every = \"1s\"\nuntil = \"9d\"\n",
    "times = 4294967295\n",
    "= 0x7f\n",
    "invariant = \"no-redundant-writes\"\n",
    "when = { rtc = \"good\" }\n",
    "c1:00000001:",
    "f1:00000001:",
    ":::",
    "12f5.1.512+3kb1",
    ":1:2:20:openwrt:good:shell",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\u{1F600}",
    "\\x00",
];

/// A text of those fragments and of the characters that no fragment stands for.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match WORDS.get(usize::from(*byte)) {
            Some(word) => text.push_str(word),
            None => text.push(char::from(*byte)),
        }
    }
    text
}

/// A scenario is parsed, or rejected with a position in the text; nothing panics.
#[test]
fn fuzz_the_scenario_reader() {
    fuzz_inputs::check!(400, |bytes: &[u8]| {
        let text = text(bytes);
        let lines = text.lines().count().max(1);
        match scenario::cases(Path::new("any.toml"), text, &Overrides::default()) {
            Ok(cases) => {
                for case in cases {
                    let written = scenario::to_toml(&case.scenario, "");
                    let again =
                        scenario::cases(Path::new("any.toml"), written, &Overrides::default());
                    assert!(again.is_ok() || !case.parameters.is_empty(), "{again:?}");
                }
            }
            Err(error) => {
                let (line, column) = error.source.position(error.span.start);
                assert!(line <= lines + 1 && column >= 1, "{line}:{column}");
                assert!(error.to_string().contains("any.toml:"), "{error}");
            }
        }
    });
}

/// An id is parsed and displayed as the same text, or rejected.
#[test]
fn fuzz_the_id_parsers() {
    fuzz_inputs::check!(400, |bytes: &[u8]| {
        let text = text(bytes);
        if let Ok(id) = text.parse::<Id>() {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        if let Ok(id) = fuzz::HouseholdId::parse(&text) {
            assert_eq!(fuzz::HouseholdId::parse(&id.to_string()), Ok(id));
        }
    });
}

/// A recording is read, or rejected with the name of the file.
#[test]
fn fuzz_the_recording_reader() {
    const PIECES: [&str; 12] = [
        "{",
        "}",
        "\n",
        ":",
        ",",
        "\"stimulus\"",
        "\"t\": 1",
        "\"argv\": [\"x\"]",
        "\"\\udc80\"",
        "\"\\ud800\"",
        "[",
        "1e400",
    ];
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/traces/wear_20.no-rtc");
    let whole = |name: &str| std::fs::read(trace.join(name)).expect("a recording");
    let files = ["meta.json", "stimuli.jsonl", "calls.jsonl"].map(whole);
    fuzz_inputs::check!(150, |bytes: &[u8]| {
        let damaged = bytes.first().map_or(0, |byte| usize::from(*byte) % 3);
        let mut file = files[damaged].clone();
        for triple in bytes.chunks_exact(3) {
            let at = (usize::from(triple[0]) << 8 | usize::from(triple[1])) % (file.len() + 1);
            match PIECES.get(usize::from(triple[2]) % 64) {
                Some(piece) => drop(file.splice(at..at, piece.bytes())),
                None if at < file.len() => file[at] = triple[2],
                None => file.truncate(at),
            }
        }
        let mut texts = files.each_ref().map(|file| &file[..]);
        texts[damaged] = &file;
        if let Err(error) = Recording::parse(Path::new("x"), texts[0], texts[1], texts[2]) {
            assert!(error.to_string().contains(".json"), "{error}");
        }
    });
}

/// The JSON report of a command is read and shown as a page, or rejected; nothing panics, and no text becomes markup.
#[test]
fn fuzz_the_report_page() {
    const PIECES: [&str; 10] = [
        "<script>x()</script>",
        "\"",
        "\\u0000",
        "\\u001b[2J",
        "-1",
        "1e99",
        "null",
        "[]",
        "{}",
        "\\ufffe",
    ];
    let whole: &[u8] = include_bytes!("../../lab-report/tests/data/crash.json");
    fuzz_inputs::check!(100, |bytes: &[u8]| {
        let mut text = whole.to_vec();
        for triple in bytes.chunks_exact(3) {
            let at = (usize::from(triple[0]) << 8 | usize::from(triple[1])) % text.len();
            match PIECES.get(usize::from(triple[2]) % 16) {
                Some(piece) => drop(text.splice(at..at, piece.bytes())),
                None => text[at] = triple[2],
            }
        }
        if let Ok(document) = Document::read(&text) {
            let page = lab_report::page(&document).expect("a page");
            assert!(!page.contains("<script>x()"));
        }
    });
}

/// A log that a power cut truncated at any byte contains the calls before it. A log with other damage is parsed, or
/// rejected with a position.
#[test]
fn fuzz_the_log_of_calls() {
    let good = LOG.as_bytes();
    let path = Path::new("router.0");
    let whole = Log::parse(path, good).expect("a log").calls;
    fuzz_inputs::check!(400, |bytes: &[u8]| {
        let [high, low, rest @ ..] = bytes else { return };
        let at = (usize::from(*high) << 8 | usize::from(*low)) % good.len();
        match Log::parse(path, &good[..at]) {
            Ok(log) => assert!(whole.starts_with(&log.calls), "{at}"),
            // The header is incomplete.
            Err(error) => assert!(at < "leaselab-record 1".len(), "{at}: {error}"),
        }
        let mut damaged = good.to_vec();
        damaged.splice(at..at, rest.iter().copied());
        if let Err(LogError::InvalidLine { line, column, .. }) = Log::parse(path, &damaged) {
            let lines: Vec<&[u8]> = damaged.split(|byte| *byte == b'\n').collect();
            assert!(column >= 1 && column <= lines[line - 1].len() + 1, "{line}:{column}");
        }
    });
}
