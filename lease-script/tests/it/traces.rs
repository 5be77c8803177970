//! Recorded calls of dnsmasq: `init` prints the lines of its own lease file, and only calls that change something
//! commit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{FreeSpaceReport, Implementation, Session, SimpleTool, test_call};

/// The lines of a file of JSON lines.
fn lines(path: &Path) -> Vec<Value> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn replay(directory: &Path, on: Implementation) -> (usize, usize) {
    let name = directory.file_name().expect("a name").to_string_lossy().into_owned();
    let mut s = Session::new(on, SimpleTool::new(FreeSpaceReport::Show, 1_000_000));
    let (mut calls, mut changes, mut inits) = (0, 0, 0);
    for call in lines(&directory.join("calls.jsonl")) {
        calls += 1;
        let args: Vec<&str> =
            call["argv"].as_array().expect("argv").iter().skip(1).map(text).collect();
        let mut replayed = test_call(&args);
        for (name, value) in call["env"].as_object().expect("env") {
            replayed = replayed.with(name, text(value));
        }
        let outcome = s.call_without_transcript(&replayed);
        assert_eq!((outcome.exit, outcome.stderr), (0, vec![]), "{name}: {call}");
        if args[0] == "init" {
            inits += 1;
            let ours: BTreeSet<_> = outcome.stdout.split_inclusive(|c| *c == b'\n').collect();
            let theirs: BTreeSet<_> =
                text(&call["out"]).as_bytes().split_inclusive(|c| *c == b'\n').collect();
            assert_eq!(ours, theirs, "{name}: {call}");
        } else {
            changes += usize::from(call["chg"] == 1);
            assert_eq!(s.flash_ops(), changes, "{name}: {call}");
        }
    }
    (calls, inits)
}

/// The traces that start with an empty store in the format of this script: not those with prepared stores, with DHCPv6
/// records of the upstream script, or with dnsmasq's own lease file.
fn traces() -> Vec<std::path::PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/traces"));
    let mut traces: Vec<_> = fs::read_dir(folder)
        .expect("recordings in scenarios/traces")
        .map(|entry| entry.expect("a folder").path())
        .filter(|path| {
            let stimuli = fs::read_to_string(path.join("stimuli.jsonl")).unwrap_or_default();
            let ours =
                !stimuli.contains(r#""path":"init.out""#) && !stimuli.contains(r#""path":"store"#);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            path.is_dir()
                && ours
                && !name.starts_with("v6_upstream_store")
                && !name.starts_with("leasefile_mode")
        })
        .collect();
    traces.sort();
    traces
}

#[test]
fn init_prints_the_leases_of_every_recording() {
    let (mut calls, mut inits) = (0, 0);
    for trace in traces() {
        let (more_calls, more_inits) = replay(&trace, Implementation::Library);
        calls += more_calls;
        inits += more_inits;
    }
    assert!(calls > 2000 && inits > 200, "{calls} calls, {inits} of them init");
}

#[test]
fn recordings_have_the_same_result_in_every_shell() {
    let short: Vec<_> = traces()
        .into_iter()
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            ["hostname_theft.", "v6_aware_store.", "infinite.", "hwtype."]
                .iter()
                .any(|start| name.starts_with(start))
        })
        .collect();
    assert_eq!(short.len(), 8);
    for trace in short {
        for on in [
            Implementation::Executable,
            Implementation::Ash,
            Implementation::Dash,
            Implementation::Bash,
        ] {
            replay(&trace, on);
        }
    }
}
