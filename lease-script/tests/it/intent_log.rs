//! Killed between two commands, without the power being lost; and commits that fail.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use rstest::rstest;

use crate::support::{Fault, Implementation, Plain, Session, Telling, lease, told};

fn session(on: Implementation) -> Session {
    let mut session = Session::new(on, Plain::new(Telling::Show, 5000));
    session.call(lease("add", 1, "one", "1700000000"));
    session
}

/// Where a script can die, and whether RAM then holds what flash does not.
#[rstest]
#[case::before_set(Fault::KillBefore("set"), 0)]
#[case::after_set(Fault::KillAfter("set"), 1)]
#[case::before_commit(Fault::KillBefore("commit"), 1)]
// One commit too many: nothing tells whether the last one came to its end.
#[case::after_commit(Fault::KillAfter("commit"), 1)]
fn the_next_call_commits_what_is_owed(
    #[values(
        Implementation::Library,
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
    #[case] fault: Fault,
    #[case] owed: usize,
) {
    let mut s = session(on);
    assert!(s.call(lease("old", 1, "one", "1700000900").but(fault)).killed);
    let before = s.flash_ops();

    // init shows RAM and writes nothing.
    s.call(told(["init"]));
    assert_eq!(s.flash_ops(), before);
    let ram = s.ram();

    // Another lease, of which nothing is stored and nothing changes.
    assert_eq!(s.call(lease("del", 7, "", "1700000000")).exit, 0);
    assert_eq!((s.flash_ops() - before, s.ram()), (owed, ram), "{}", s.transcript());
    assert_eq!(s.flash(), s.ram());

    // And never again.
    s.call(lease("del", 7, "", "1700000000"));
    assert_eq!(s.flash_ops() - before, owed, "{}", s.transcript());
}

#[rstest]
fn a_change_of_its_own_and_what_is_owed_are_one_commit(
    #[values(
        Implementation::Library,
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
) {
    let mut s = session(on);
    assert!(s.call(lease("del", 1, "", "1700000000").but(Fault::KillAfter("unset"))).killed);
    let before = s.flash_ops();
    assert_eq!(s.call(lease("add", 2, "two", "1700000000")).exit, 0);
    assert_eq!(s.flash_ops() - before, 1);
    assert_eq!(s.flash(), s.ram());
    assert_eq!(s.call(told(["init"])).stdout, b"1700000000 02:aa:00:00:00:02 192.168.1.2 two *\n");
}

#[rstest]
fn a_failed_commit_is_tried_again(
    #[values(
        Implementation::Library,
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
) {
    let mut s = session(on);
    let before = s.flash();
    for expiry in 0..70 {
        let failed =
            s.call_quietly(&lease("old", 1, "", &expiry.to_string()).but(Fault::Fail("commit")));
        assert_eq!(failed.exit, 1);
        assert_eq!(
            failed.stderr,
            b"lease-update: NVRAM commit failed: the next call tries again\n"
        );
    }
    if on != Implementation::Library {
        let marker = format!("{}/.dnsmasq_lease_marker", s.run_directory());
        assert!(
            fs::metadata(marker).expect("a marker").size() < 8192,
            "it does not grow without end"
        );
    }
    assert_eq!(s.flash(), before);
    assert_eq!(s.call(lease("old", 1, "", "69")).exit, 0);
    assert_eq!(s.flash(), s.ram());
    assert_ne!(s.flash(), before);
}

#[rstest]
fn a_reboot_pays_what_was_owed(
    #[values(
        Implementation::Library,
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
) {
    let mut s = session(on);
    assert!(s.call(lease("old", 1, "one", "1700000900").but(Fault::KillAfter("set"))).killed);
    s.reboot();
    let before = s.flash_ops();
    s.call(lease("old", 1, "one", "1700000000"));
    assert_eq!(s.flash_ops(), before);
}

/// A note by another program's death is taken up by the other implementation: the file is the same.
#[rstest]
fn programs_read_each_others_markers(
    #[values(
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    first: Implementation,
    #[values(Implementation::Executable, Implementation::Ash)] second: Implementation,
) {
    let mut s = session(first);
    assert!(s.call(lease("old", 1, "one", "1700000900").but(Fault::KillBefore("commit"))).killed);
    s.change_implementation(second);
    let before = s.flash_ops();
    s.call(lease("old", 1, "one", "1700000900"));
    assert_eq!(s.flash_ops() - before, 1);
    assert_eq!(s.flash(), s.ram());
}

/// Whatever lies in the place of the marker is neither followed nor written to, and stops nobody.
#[rstest]
#[case::link("link")]
#[case::dangling("dangling")]
#[case::directory("directory")]
fn a_trap_in_the_place_of_the_marker_is_left_alone(
    #[values(
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
    #[case] trap: &str,
) {
    let mut s = Session::new(on, Plain::new(Telling::Show, 5000));
    let directory = s.run_directory();
    let marker = format!("{directory}/.dnsmasq_lease_marker");
    let target = format!("{directory}/passwd");
    match trap {
        "link" => {
            fs::write(&target, "root:x\n").expect("a file");
            symlink(&target, &marker).expect("a link");
        }
        "dangling" => symlink(&target, &marker).expect("a link"),
        _ => fs::create_dir(&marker).expect("a directory"),
    }
    for expiry in ["1", "2"] {
        let outcome = s.call(lease("add", 1, "", expiry));
        let complaint = format!("lease-update: no marker in RAM: {marker} is not a file of ours\n");
        assert_eq!(
            (outcome.exit, String::from_utf8_lossy(&outcome.stderr).into_owned()),
            (0, complaint)
        );
    }
    assert_eq!(s.flash(), s.ram());
    match trap {
        "link" => assert_eq!(fs::read(&target).expect("a file"), b"root:x\n"),
        "dangling" => assert!(!fs::exists(&target).expect("a directory")),
        _ => assert_eq!(fs::read_dir(&marker).expect("a directory").count(), 0),
    }
}

#[rstest]
fn a_marker_that_is_rubbish_costs_nothing(
    #[values(
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
) {
    let mut s = session(on);
    let marker = format!("{}/.dnsmasq_lease_marker", s.run_directory());
    let rubbish = "x\n\n1\n$(reboot) a=b\n999999999 dnsmasq_lease_192.168.1.1=other\n-1 dnsmasq_lease_none\n\u{1}";
    fs::write(&marker, rubbish).expect("a file");
    let before = s.flash_ops();
    assert_eq!(s.call(lease("old", 1, "one", "1700000000")).stderr, b"");
    assert_eq!(s.flash_ops(), before);
}

/// Two calls at once: the notes of one that is still at work say nothing about what is owed.
#[rstest]
fn a_call_under_way_is_no_debt(
    #[values(
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
) {
    let mut s = session(on);
    let marker = format!("{}/.dnsmasq_lease_marker", s.run_directory());
    let record = "dnsmasq_lease_192.168.1.1=1700000000 02:aa:00:00:00:01 192.168.1.1 one *";
    fs::write(&marker, format!("{} {record}\n", std::process::id())).expect("a file");
    let before = s.flash_ops();
    s.call(lease("old", 1, "one", "1700000000"));
    assert_eq!(s.flash_ops(), before);
    fs::write(&marker, format!("999999999 {record}\n")).expect("a file");
    s.call(lease("old", 1, "one", "1700000000"));
    assert_eq!(s.flash_ops(), before + 1);
}
