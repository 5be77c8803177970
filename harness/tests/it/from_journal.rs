//! Journals of the real dhcpd as input of the lab, compared with the server's recorded system calls.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use lzma_rust2::XzReader;
use predicates::prelude::*;
use rstest::rstest;
use trace::{SiteEventKind, from_journal, generations};

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../lease-script/formats/tests/data/dhcpd-journals")
        .join(name)
}

/// What the server wrote, by the trace of its system calls: bytes to the live file, rewrites, their bytes.
fn system_calls(name: &str) -> (u64, u64, u64) {
    let packed = fs::read(recording(name).join("ops.tsv.xz")).expect("recorded");
    let mut text = Vec::new();
    XzReader::new(&packed[..], true).read_to_end(&mut text).expect("whole");
    let (mut appended, mut rewrites, mut rewritten) = (0, 0, 0);
    for line in String::from_utf8(text).expect("text").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let bytes = || fields[3].parse::<u64>().expect("a number");
        match (fields[1], fields[2]) {
            ("write", "L") => appended += bytes(),
            ("write", "T") => rewritten += bytes(),
            ("rename", _) => rewrites += 1,
            _ => {}
        }
    }
    (appended, rewrites, rewritten)
}

/// The numbers of releases are those of `driver.log` in the recordings.
#[rstest]
#[case("small", 30)]
#[case("v6", 54)]
#[case("medium2", 214)]
fn the_cost_of_a_journal_equals_the_recorded_system_calls(
    #[case] name: &str,
    #[case] releases: u64,
) {
    let found = generations(&[recording(name).join("gens.tar.xz")]).expect("readable");
    let site = from_journal(&found);
    let (appended, rewrites, rewritten) = system_calls(name);
    assert_eq!(site.cost.rewrites, rewrites, "{name}");
    for (got, wanted) in [(site.cost.appended, appended), (site.cost.rewritten, rewritten)] {
        assert!(got.abs_diff(wanted) * 100 <= wanted, "{name}: {got} bytes, not {wanted}");
    }
    let mut counts: BTreeMap<SiteEventKind, u64> = BTreeMap::new();
    for event in &site.events {
        *counts.entry(event.kind).or_default() += 1;
    }
    assert!(counts[&SiteEventKind::Grant] > 0 && counts[&SiteEventKind::Renewal] > 0, "{counts:?}");
    // In DHCPv6, an association that is declared again with another address releases the previous one.
    let found = counts[&SiteEventKind::Release];
    assert!(found == releases || name == "v6" && found > releases, "{name}: {counts:?}");
    assert!(site.events.windows(2).all(|pair| pair[0].time <= pair[1].time), "{name}");
}

#[test]
fn single_files_and_folders_are_read() {
    let alone = generations(&[recording("small/dhcpd.leases")]).expect("readable");
    let folder = generations(&[recording("small")]).expect("readable");
    assert_eq!(folder.len(), 6, "the archive of generations");
    let site = from_journal(&alone);
    assert_eq!((site.cost.generations, site.cost.rewrites), (1, 1));
    // 25,173 bytes were appended to it, after the 5,611 bytes of the rewrite.
    assert!(site.cost.appended.abs_diff(25_173) < 1_000, "{:?}", site.cost);
}

fn leaselab(words: &[&str]) -> assert_cmd::assert::Assert {
    Command::cargo_bin("leaselab").expect("built").args(words).assert()
}

#[test]
fn the_command_prints_events_and_costs_and_writes_stimuli() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("stimuli.jsonl");
    let small = recording("small/gens.tar.xz");
    let (small, out) = (small.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    leaselab(&["trace", "from-journal", small, "-o", out])
        .success()
        .stdout(predicate::str::contains("6 rewrites"))
        .stdout(predicate::str::contains("decline"));
    let text = fs::read_to_string(out).expect("written");
    let first: serde_json::Value =
        serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["do"], "request");
    assert_eq!(first["res"]["type"], "ACK");
}

#[test]
fn files_that_are_not_journals_are_rejected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let empty = folder.path().join("dhcpd.leases");
    for (name, bytes) in [("x.tar.xz", &b"junk"[..]), ("empty.leases", b"")] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("room");
        leaselab(&["trace", "from-journal", path.to_str().expect("UTF-8")]).code(2);
    }
    leaselab(&["trace", "from-journal", empty.to_str().expect("UTF-8")]).code(2);
    let nothing = tempfile::tempdir().expect("a temporary folder");
    leaselab(&["trace", "from-journal", nothing.path().to_str().expect("UTF-8")])
        .code(2)
        .stderr(predicate::str::contains("no journal"));
}

#[test]
fn wear_prints_the_cost_of_the_journal_and_counts_both_builds() {
    let small = recording("small/gens.tar.xz");
    leaselab(&["wear", "--journal", small.to_str().expect("UTF-8"), "--scripts", "ours,naive"])
        .success()
        .stdout(predicate::str::contains("journal: "))
        .stdout(predicate::str::contains("good").and(predicate::str::contains("broken")));
}
