//! A script that is killed between two commands while the power stays on, and commits that fail.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use rstest::rstest;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::support::Implementation::{Ash, Bash, Dash, Executable, Library};
use crate::support::{
    Fault, FreeSpaceReport, Implementation, Session, SimpleTool, lease, test_call,
};

/// The file of the intent log.
fn log(s: &Session) -> String {
    format!("{}/.dnsmasq_lease_run/intents", s.run_directory())
}

fn session(on: Implementation) -> Session {
    let mut session = Session::new(on, SimpleTool::new(FreeSpaceReport::Show, 5000));
    session.call(lease("add", 1, "one", "1700000000"));
    session
}

/// Each case: where the script is killed, and the number of commits of the next call.
#[rstest]
#[case::before_reading(Fault::KillBefore("get"), 0)]
#[case::after_set(Fault::KillAfter("set"), 1)]
#[case::before_commit(Fault::KillBefore("commit"), 1)]
// One additional commit: the next call cannot know what the last one has done.
#[case::before_set(Fault::KillBefore("set"), 1)]
#[case::after_commit(Fault::KillAfter("commit"), 1)]
fn the_next_call_commits_an_uncommitted_change(
    #[values(Library, Executable, Ash, Dash, Bash)] on: Implementation,
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
    #[values(Library, Executable, Ash, Dash, Bash)] on: Implementation,
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
    #[values(Library, Executable, Ash, Dash, Bash)] on: Implementation,
) {
    let mut s = session(on);
    let before = s.flash();
    for expiry in 0..70 {
        let failed = s.call_without_transcript(
            &lease("old", 1, "", &expiry.to_string()).with_fault(Fault::Fail("commit")),
        );
        assert_eq!(failed.exit, 1);
        assert_eq!(failed.stderr, b"lease-update: NVRAM commit failed\n");
    }
    if on != Library {
        assert!(
            fs::metadata(log(&s)).expect("a log").size() < 10_000,
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
    #[values(Library, Executable, Ash, Dash, Bash)] on: Implementation,
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
    #[values(Executable, Ash, Dash, Bash)] first: Implementation,
    #[values(Executable, Ash)] second: Implementation,
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

/// Something else in the place of the folder or of the intent log is neither followed nor written to, and calls succeed.
#[rstest]
fn something_else_in_the_place_of_the_log_is_not_used(
    #[values(Executable, Ash, Dash, Bash)] on: Implementation,
    #[values("link", "dangling link", "directory", "fifo", "text", "hard link")] trap: &str,
    #[values(false, true)] in_place_of_the_folder: bool,
) {
    if in_place_of_the_folder && trap == "directory" {
        return;
    }
    let mut s = Session::new(on, SimpleTool::new(FreeSpaceReport::Show, 5000));
    let folder = format!("{}/.dnsmasq_lease_run", s.run_directory());
    let target = format!("{}/passwd", s.run_directory());
    let place = if in_place_of_the_folder {
        folder.clone()
    } else {
        fs::create_dir(&folder).expect("a folder");
        log(&s)
    };
    match trap {
        "link" => {
            fs::write(&target, "root:x\n").expect("a file");
            symlink(&target, &place).expect("a link");
        }
        "dangling link" => symlink(&target, &place).expect("a link"),
        "fifo" => {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mkfifoat(rustix::fs::CWD, &place, mode).expect("a FIFO");
        }
        "text" => fs::write(&place, "not ours\n").expect("a file"),
        "hard link" => {
            fs::write(&target, "root:x\n").expect("a file");
            fs::hard_link(&target, &place).expect("a link");
        }
        _ => fs::create_dir(&place).expect("a directory"),
    }
    for expiry in ["1", "2"] {
        let outcome = s.call(lease("add", 1, "", expiry));
        let message = format!("lease-update: no lock in RAM: {folder} is not ours\n");
        assert_eq!(
            (outcome.exit, String::from_utf8_lossy(&outcome.stderr).into_owned()),
            (0, message)
        );
    }
    assert_eq!(s.flash(), s.ram());
    match trap {
        "link" | "hard link" => assert_eq!(fs::read(&target).expect("a file"), b"root:x\n"),
        "dangling link" => assert!(!fs::exists(&target).expect("a directory")),
        "text" => assert_eq!(fs::read(&place).expect("a file"), b"not ours\n"),
        _ => {}
    }
}

/// Another user, who made the folder first, exchanges it with a link to a folder of root, over and over: no call writes to what
/// the links lead to. With `LEASELAB_LONG_TESTS`, 500 calls each.
#[rstest]
fn a_folder_that_another_user_exchanges_is_not_used(
    #[values(Executable, Ash, Dash, Bash)] on: Implementation,
) {
    let calls = if std::env::var_os("LEASELAB_LONG_TESTS").is_some() { 500 } else { 10 };
    let mut s = Session::new(on, SimpleTool::new(FreeSpaceReport::Show, 5000));
    let place = |name: &str| format!("{}/{name}", s.run_directory());
    let [folder, link, of_root] = [".dnsmasq_lease_run", "link", "of-root"].map(place);
    let victim = place("passwd");
    // More than a log may have: one is emptied.
    let text = "root:x\n".repeat(2000);
    fs::write(&victim, &text).expect("a file");
    fs::create_dir(&of_root).expect("a folder");
    fs::create_dir(&folder).expect("a folder");
    symlink(&victim, format!("{folder}/intents")).expect("a link");
    symlink(&of_root, &link).expect("a link");
    // Only root can give a folder to another user.
    if chown(&folder, Some(65_534), None).is_err() {
        return;
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).expect("exchanged");
            }
        });
        for expiry in 1..=calls {
            assert_eq!(s.call(lease("add", 1, "", &expiry.to_string())).exit, 0);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_to_string(&victim).expect("a file"), text);
    // bash finds out the name of a folder before it enters it, so that a call can create an empty file there.
    assert!(on == Bash || fs::read_dir(&of_root).expect("a folder").count() == 0);
}

/// A log that has grown is not read, whatever it contains: the call ends, and commits once.
#[rstest]
fn a_sparse_log_is_emptied(
    #[values(Executable, Ash, Dash, Bash)] on: Implementation,
    #[values(0, 1)] lines: usize,
) {
    let mut s = session(on);
    fs::write(log(&s), "999999999.1\n".repeat(lines)).expect("a file");
    let file = fs::OpenOptions::new().append(true).open(log(&s)).expect("a file");
    file.set_len(1 << 30).expect("a sparse file");
    let before = s.flash_ops();
    for _ in 0..2 {
        assert_eq!(s.call(lease("old", 1, "one", "1700000000")).exit, 0);
    }
    assert!(s.flash_ops() - before <= 1);
    assert_eq!(fs::metadata(log(&s)).expect("a log").size(), 0);
}

/// A log with many entries is emptied, with one commit.
#[rstest]
fn a_log_that_has_grown_is_emptied(#[values(Executable, Ash, Dash, Bash)] on: Implementation) {
    let mut s = session(on);
    fs::write(log(&s), "999999999.1\n".repeat(2000)).expect("a file");
    let before = s.flash_ops();
    for _ in 0..2 {
        assert_eq!(s.call(lease("old", 1, "one", "1700000000")).exit, 0);
    }
    assert_eq!(s.flash_ops() - before, 1);
    assert_eq!(fs::metadata(log(&s)).expect("a log").size(), 0);
}

#[rstest]
fn an_invalid_log_causes_no_commit(
    #[values(Executable, Ash, Dash, Bash)] on: Implementation,
    #[values("", "999999999.1\n")] first: &str,
    #[values("\n", "$(reboot) a=b\n", "-1.1\n", "1\n")] garbage: &str,
) {
    let mut s = session(on);
    let text = format!("{first}{garbage}");
    fs::write(log(&s), &text).expect("a file");
    let before = s.flash_ops();
    let folder = format!("{}/.dnsmasq_lease_run", s.run_directory());
    assert_eq!(
        String::from_utf8_lossy(&s.call(lease("old", 1, "one", "1700000000")).stderr),
        format!("lease-update: no lock in RAM: {folder} is not ours\n")
    );
    assert_eq!(s.flash_ops(), before);
    assert_eq!(fs::read(log(&s)).expect("the log"), text.as_bytes());
}

/// A call that is killed between `set` and `commit` leaves an entry. A process that has its number later does not hide it.
#[rstest]
fn an_entry_is_not_hidden_by_a_later_process_with_its_number(
    #[values(Executable, Ash, Dash, Bash)] on: Implementation,
) {
    let mut s = session(on);
    let before = s.flash_ops();
    for (writer, commits) in [
        // The number of this test, which is running, and another start time.
        (format!("{}.1", std::process::id()), 1),
        (format!("{}.", std::process::id()), 2),
        ("999999999.1".to_owned(), 3),
    ] {
        fs::write(log(&s), format!("{writer}\n")).expect("a file");
        s.call(lease("old", 1, "one", "1700000000"));
        assert_eq!(s.flash_ops() - before, commits, "{writer}");
    }
}

/// A call waits for the one before it, and does not empty the log while that one is between `set` and `commit`.
#[rstest]
fn a_call_waits_for_the_call_before_it(#[values(Executable, Ash, Dash, Bash)] on: Implementation) {
    let mut s = session(on);
    s.other(&[b"set", b"dnsmasq_lease_192.168.1.2=0 02:aa:00:00:00:02 192.168.1.2 two *"]);
    // The other call is killed when the first command has been started twice.
    let mut other = std::process::Command::new("sh");
    let script = "read -r stat </proc/self/stat; set -- ${stat##*) }; shift 19; echo \"${stat%% *}.$1\" >\"$LOG\"; read -r line";
    other.args(["-c", script]).env("LOG", log(&s));
    let mut other = other.stdin(std::process::Stdio::piped()).spawn().expect("a process");
    while fs::read(log(&s)).expect("a log").is_empty() {
        std::thread::yield_now();
    }
    let ends = std::thread::spawn({
        let input = other.stdin.take();
        let log = log(&s);
        move || {
            // Until the call has added its entry.
            while fs::read(&log).expect("a log").split(|c| *c == b'\n').count() < 2 {
                std::thread::yield_now();
            }
            drop(input);
            other.wait().expect("it ends");
        }
    });
    assert_eq!(s.call(lease("old", 1, "one", "1700000000")).exit, 0);
    ends.join().expect("no panic");
    assert_eq!(s.flash(), s.ram(), "{}", s.transcript());
}
