//! The recordings of real dnsmasq runs: the engine reproduces all of them, and a changed byte is detected.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::*;
use rstest::rstest;
use trace::{Recording, check, find, read_archive};

fn traces() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/traces")
}

fn leaselab() -> Command {
    Command::new(env!("CARGO_BIN_EXE_leaselab"))
}

fn copy(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for file in ["meta.json", "stimuli.jsonl", "calls.jsonl"] {
        fs::copy(traces().join(name).join(file), dir.path().join(file)).expect("a recording");
    }
    dir
}

#[test]
fn the_engine_reproduces_every_call_of_every_recording() {
    leaselab().args(["trace", "check"]).arg(traces()).assert().success().stdout(
        predicate::str::ends_with("208 traces, 3971 calls, 0 differ\n")
            .and(predicate::str::contains("DIFFERS").not()),
    );
}

/// The packed recordings of all releases from 2.33 to 2.92.
fn releases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/dnsmasq-releases.tar.xz")
}

#[test]
fn wear_is_counted_for_every_recording_of_an_archive() {
    let recordings = read_archive(&releases()).expect("recordings");
    let workloads = wear::recordings(&releases()).expect("recordings");
    let calls = |workload: &trace::Workload| workload.events.len();
    assert_eq!(workloads.len(), recordings.len());
    assert!(workloads.iter().map(calls).sum::<usize>() > 1000);
}

#[test]
fn the_engine_reproduces_every_call_of_every_release() {
    let mut failed = Vec::new();
    let mut releases_seen = std::collections::BTreeSet::new();
    let (mut calls, mut crashes, mut links) = (0, 0, 0);
    let mut slow = 0;
    for recording in read_archive(&releases()).expect("recordings") {
        let outcome = check(&recording).expect("known stimuli");
        calls += outcome.calls;
        releases_seen.extend(outcome.release);
        crashes += recording.stimuli.iter().filter(|stimulus| stimulus.died.is_some()).count();
        links += recording.stimuli.iter().filter(|stimulus| stimulus.kind == "link").count();
        // How a slow script's calls wait does not depend on timing, although such recordings are marked racy.
        let is_slow = outcome.label.contains("/slow_");
        slow += usize::from(is_slow);
        let differs = outcome.failed() || (is_slow && !outcome.mismatches.is_empty());
        failed.extend(differs.then_some(outcome.label));
    }
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(slow, 8);
    assert_eq!(releases_seen, dnsmasq_model::Release::all().collect());
    assert_eq!((calls, crashes, links), (19_865, 6, 30));
}

#[rstest]
#[case("2.62/lease_limit.rtc", |recording: &mut Recording| recording.stimuli[11].died = None)]
#[case("2.86/add_relay_env.rtc", |recording: &mut Recording| recording.meta.version = Some("2.87".to_owned()))]
#[case("2.87/interface_appears.rtc", |recording: &mut Recording| recording.stimuli[9].op = Some("del".to_owned()))]
fn a_changed_recording_of_a_release_is_detected(
    #[case] label: &str,
    #[case] change: fn(&mut Recording),
) {
    let mut recordings = read_archive(&releases()).expect("recordings");
    let recording = recordings.iter_mut().find(|r| r.label() == label).expect("the recording");
    change(recording);
    assert!(check(recording).expect("known stimuli").failed());
}

#[test]
fn the_table_of_a_check_has_a_row_for_each_release() {
    leaselab().args(["trace", "check"]).arg(releases()).assert().success().stdout(
        predicate::str::contains("\n2.33    ")
            .and(predicate::str::contains("\n2.92    "))
            .and(predicate::str::ends_with("1567 traces, 19707 calls, 0 differ\n")),
    );
}

#[test]
fn the_page_of_the_releases_is_up_to_date() {
    let page = include_str!("../../../docs/dnsmasq-releases.md");
    leaselab().args(["dnsmasq", "list", "--markdown"]).assert().success().stdout(page);
}

#[test]
fn the_changes_between_two_releases_are_listed() {
    let list = |from: &str, to: &str| {
        let output = leaselab().args(["dnsmasq", "list", "--from", from, "--to", to]).assert();
        String::from_utf8(output.get_output().stdout.clone()).expect("text")
    };
    assert!(
        list("2.85", "2.86")
            .starts_with("2.86  the victim of a stolen name is marked as changed\n")
    );
    assert!(!list("2.86", "2.90").contains("2.86  "));
    assert_eq!(list("2.78", "2.79"), "nothing changed for a lease script\n");
    leaselab().args(["dnsmasq", "list", "--from", "2.90", "--to", "2.80"]).assert().code(2).stderr(
        predicate::str::contains("--from 2.90 --to 2.80: expected the older release first"),
    );
}

#[test]
fn the_server_answers_as_recorded() {
    let (mut same, mut other) = (0, Vec::new());
    for folder in find(&traces()).expect("recordings") {
        let outcome =
            check(&Recording::read(&folder).expect("a recording")).expect("known stimuli");
        same += outcome.predicted;
        other.extend(outcome.mispredicted);
    }
    assert!(other.is_empty(), "{other:?}");
    assert_eq!(same, 2622);
}

/// Another byte of the same class, so that the JSON stays well-formed more often than not.
fn other(byte: u8) -> Option<u8> {
    match byte {
        b'9' | b'z' | b'Z' => Some(byte - 1),
        b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => Some(byte + 1),
        _ => None,
    }
}

#[rstest]
#[case("add_full_env.rtc", 1)]
#[case("add_relay_env.no-rtc", 3)]
#[case("hostname_theft.rtc", 7)]
#[case("init_exit_codes.no-rtc", 1)]
#[case("v6_aware_store.rtc", 7)]
#[case("restart_expired.no-rtc", 7)]
#[case("random-25.rtc", 1201)]
fn a_changed_byte_of_the_calls_is_detected(#[case] name: &str, #[case] step: usize) {
    let dir = copy(name);
    let path = dir.path().join("calls.jsonl");
    let text = fs::read(&path).expect("calls");
    let mut changed = 0;
    for at in (0..text.len()).step_by(step) {
        let Some(byte) = other(text[at]) else { continue };
        let mut mutant = text.clone();
        mutant[at] = byte;
        fs::write(&path, &mutant).expect("written");
        let met = Recording::read(dir.path())
            .and_then(|r| check(&r))
            .is_ok_and(|outcome| !outcome.failed());
        let line = text[..at].split(|b| *b == b'\n').count();
        assert!(!met, "{name}: a change of byte {at} (line {line}) is not detected");
        changed += 1;
    }
    assert!(changed > 20, "only {changed} bytes changed");
}

#[test]
fn a_difference_is_shown_and_fails() {
    let dir = copy("add_single.rtc");
    let path = dir.path().join("calls.jsonl");
    let text = fs::read_to_string(&path).expect("calls").replace("\"bravo\"]", "\"bravado\"]");
    fs::write(&path, text).expect("written");
    leaselab().args(["trace", "check"]).arg(dir.path()).assert().code(1).stdout(
        predicate::str::contains("- argv recorder add 02:aa:00:00:00:01 192.168.77.173 bravado")
            .and(predicate::str::contains(
                "+ argv recorder add 02:aa:00:00:00:01 192.168.77.173 bravo\n",
            ))
            .and(predicate::str::ends_with("1 trace, 2 calls, 1 differs\n")),
    );
}

#[test]
fn racy_recordings_may_swap_adjacent_calls_but_not_lose_them() {
    let dir = copy("script_arp.rtc");
    let path = dir.path().join("calls.jsonl");
    let text = fs::read_to_string(&path).expect("calls");
    let words = |mac: &str, addr: &str| format!("[\"recorder\",\"arp-add\",\"{mac}\",\"{addr}\"]");
    let (six, own) =
        (words("02:dd:00:00:00:06", "192.168.77.6"), words("02:aa:00:00:00:01", "192.168.77.173"));
    let swapped = text.replacen(&six, "@", 1).replacen(&own, &six, 1).replacen('@', &own, 1);
    assert_ne!(text, swapped);
    fs::write(&path, swapped).expect("written");
    leaselab().args(["trace", "check"]).arg(dir.path()).assert().success();
    fs::write(&path, text.replace(&six, &words("02:dd:00:00:00:07", "192.168.77.6")))
        .expect("written");
    leaselab().args(["trace", "check"]).arg(dir.path()).assert().code(1);
}

#[test]
fn errors_name_the_folder_or_file_that_cannot_be_read() {
    let empty = tempfile::tempdir().expect("a folder");
    leaselab()
        .args(["trace", "check"])
        .arg(empty.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("no recording here"));

    let dir = copy("add_single.rtc");
    let path = dir.path().join("stimuli.jsonl");
    let text = fs::read_to_string(&path).expect("stimuli");
    fs::write(&path, text.replacen("\"i\":1,", "\"i\":oops,", 1)).expect("written");
    leaselab()
        .args(["trace", "check"])
        .arg(dir.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("stimuli.jsonl:2:6: expected value"));
}

#[rstest]
#[case(
    "\"build\": \"rtc\"",
    "\"build\": \"rtcc\"",
    "meta.json:3:16: unknown variant `rtcc`, expected `rtc` or `no-rtc`"
)]
#[case("\"clock\": \"virtual\"", "\"clock\": \"sundial\"", "unknown variant `sundial`")]
#[case("\"store_mode\": \"upstream\"", "\"store_mode\": \"v7\"", "unknown variant `v7`")]
#[case("\"init_order\": \"insert\"", "\"init_order\": \"\"", "unknown variant ``")]
fn unknown_values_in_the_description_of_a_recording_are_refused(
    #[case] known: &str,
    #[case] unknown: &str,
    #[case] message: &str,
) {
    let dir = copy("add_single.rtc");
    let path = dir.path().join("meta.json");
    let text = fs::read_to_string(&path).expect("a description");
    assert!(text.contains(known), "{text}");
    fs::write(&path, text.replacen(known, unknown, 1)).expect("written");
    leaselab()
        .args(["trace", "check"])
        .arg(dir.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains(message));
}
