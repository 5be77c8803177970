//! A script that is killed between two commands while the power stays on, and commits that fail.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use rstest::rstest;

use crate::support::{
    Fault, FreeSpaceReport, Implementation, Session, SimpleTool, lease, test_call,
};

fn session(on: Implementation) -> Session {
    let mut session = Session::new(on, SimpleTool::new(FreeSpaceReport::Show, 5000));
    session.call(lease("add", 1, "one", "1700000000"));
    session
}

/// Each case: where the script is killed, and the number of commits of the next call.
#[rstest]
#[case::before_set(Fault::KillBefore("set"), 0)]
#[case::after_set(Fault::KillAfter("set"), 1)]
#[case::before_commit(Fault::KillBefore("commit"), 1)]
// One additional commit: the next call cannot know that the last one was completed.
#[case::after_commit(Fault::KillAfter("commit"), 1)]
fn the_next_call_commits_an_uncommitted_change(
    #[values(
        Implementation::Library,
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
    #[case] fault: Fault,
    #[case] uncommitted: usize,
) {
    let mut s = session(on);
    assert!(s.call(lease("old", 1, "one", "1700000900").with_fault(fault)).killed);
    let before = s.flash_ops();

    // init shows RAM and writes nothing.
    s.call(test_call(["init"]));
    assert_eq!(s.flash_ops(), before);
    let ram = s.ram();

    // A call for another lease that changes nothing.
    assert_eq!(s.call(lease("del", 7, "", "1700000000")).exit, 0);
    assert_eq!((s.flash_ops() - before, s.ram()), (uncommitted, ram), "{}", s.transcript());
    assert_eq!(s.flash(), s.ram());

    // The call after that does not commit.
    s.call(lease("del", 7, "", "1700000000"));
    assert_eq!(s.flash_ops() - before, uncommitted, "{}", s.transcript());
}

#[rstest]
fn a_new_change_and_an_uncommitted_one_are_one_commit(
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
    assert!(s.call(lease("del", 1, "", "1700000000").with_fault(Fault::KillAfter("unset"))).killed);
    let before = s.flash_ops();
    assert_eq!(s.call(lease("add", 2, "two", "1700000000")).exit, 0);
    assert_eq!(s.flash_ops() - before, 1);
    assert_eq!(s.flash(), s.ram());
    assert_eq!(
        s.call(test_call(["init"])).stdout,
        b"1700000000 02:aa:00:00:00:02 192.168.1.2 two *\n"
    );
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
        let failed = s.call_without_transcript(
            &lease("old", 1, "", &expiry.to_string()).with_fault(Fault::Fail("commit")),
        );
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
            "the log grows without limit"
        );
    }
    assert_eq!(s.flash(), before);
    assert_eq!(s.call(lease("old", 1, "", "69")).exit, 0);
    assert_eq!(s.flash(), s.ram());
    assert_ne!(s.flash(), before);
}

#[rstest]
fn after_a_reboot_nothing_is_uncommitted(
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
    assert!(
        s.call(lease("old", 1, "one", "1700000900").with_fault(Fault::KillAfter("set"))).killed
    );
    s.reboot();
    let before = s.flash_ops();
    s.call(lease("old", 1, "one", "1700000000"));
    assert_eq!(s.flash_ops(), before);
}

/// The shell script and the executable share the file of the intent log.
#[rstest]
fn programs_read_each_others_intent_logs(
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
    assert!(
        s.call(lease("old", 1, "one", "1700000900").with_fault(Fault::KillBefore("commit"))).killed
    );
    s.change_implementation(second);
    let before = s.flash_ops();
    s.call(lease("old", 1, "one", "1700000900"));
    assert_eq!(s.flash_ops() - before, 1);
    assert_eq!(s.flash(), s.ram());
}

/// A link or directory in the place of the intent log is neither followed nor written to, and calls succeed.
#[rstest]
#[case::link("link")]
#[case::dangling("dangling")]
#[case::directory("directory")]
fn a_link_or_directory_in_the_place_of_the_log_is_not_used(
    #[values(
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
    #[case] trap: &str,
) {
    let mut s = Session::new(on, SimpleTool::new(FreeSpaceReport::Show, 5000));
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
        let message = format!("lease-update: no marker in RAM: {marker} is not a file of ours\n");
        assert_eq!(
            (outcome.exit, String::from_utf8_lossy(&outcome.stderr).into_owned()),
            (0, message)
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
fn an_invalid_log_causes_no_commit(
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
    let garbage = "x\n\n1\n$(reboot) a=b\n999999999.1 dnsmasq_lease_192.168.1.1=other\n-1.1 dnsmasq_lease_none\n\u{1}";
    fs::write(&marker, garbage).expect("a file");
    let before = s.flash_ops();
    assert_eq!(s.call(lease("old", 1, "one", "1700000000")).stderr, b"");
    assert_eq!(s.flash_ops(), before);
}

/// The entries of a call that is still running do not count as uncommitted. A process with the same number and another
/// start time is not that call.
#[rstest]
fn entries_of_a_running_call_are_ignored_and_those_of_an_earlier_process_with_its_number_are_not(
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
    let pid = std::process::id();
    let stat = fs::read_to_string("/proc/self/stat").expect("the status of this process");
    let fields = stat.rsplit_once(')').expect("a name in parentheses").1;
    let start = fields.split_whitespace().nth(19).expect("a start time");
    let before = s.flash_ops();
    for (writer, commits) in [
        (format!("{pid}.{start}"), 0),
        (format!("{pid}.1"), 1),
        (format!("{pid}."), 2),
        ("999999999.1".to_owned(), 3),
    ] {
        fs::write(&marker, format!("{writer} {record}\n")).expect("a file");
        s.call(lease("old", 1, "one", "1700000000"));
        assert_eq!(s.flash_ops() - before, commits, "{writer}");
    }
}
