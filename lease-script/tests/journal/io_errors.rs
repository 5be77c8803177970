//! Every system call of a change fails once: the exit code says what was stored, and no stored lease is lost.

use std::fs;
use std::process::Command;

use super::strace::{calls_from, traced};
use super::support::{JournalFolder, line, run, text};

const ENDS: &str = "1700003600";

/// A journal with a lease, with or without an index.
fn prepared(is_indexed: bool) -> JournalFolder {
    let folder = JournalFolder::new();
    for last in [10, 11] {
        assert!(run(&mut folder.add(last, ENDS)).status.success());
    }
    if !is_indexed {
        for entry in fs::read_dir(folder.ram()).expect("the folder") {
            fs::remove_file(entry.expect("an entry").path()).expect("there");
        }
    }
    folder
}

/// The change, which also rewrites the journal.
fn change(folder: &JournalFolder) -> Command {
    let mut add = folder.add(12, ENDS);
    add.env("LEASE_REWRITE_SIZE", "100");
    add
}

/// The system calls from the first use of the journal on.
fn calls(is_indexed: bool) -> Vec<(String, usize)> {
    let folder = prepared(is_indexed);
    let log = folder.path("calls");
    let options = ["-f", "-o", log.to_str().expect("UTF-8")];
    assert!(run(&mut traced(&options, &change(&folder))).status.success());
    calls_from("dhcpd.leases.lock", &fs::read_to_string(&log).expect("text"))
}

#[test]
fn no_failing_system_call_loses_a_stored_lease() {
    let mut failed = 0;
    for is_indexed in [false, true] {
        let calls = calls(is_indexed);
        assert!(calls.len() > 20, "{calls:?}");
        for (name, number) in calls {
            let folder = prepared(is_indexed);
            let fault = format!("inject={name}:error=EIO:when={number}");
            let options = ["-f", "-o", "/dev/null", "-e", &fault];
            let output = run(&mut traced(&options, &change(&folder)));
            let stderr = text(&output.stderr);
            let code = output.status.code();
            assert!(
                matches!(code, Some(0 | 1)) && !stderr.contains("panicked"),
                "{fault}: {output:?}"
            );
            let found = folder.init();
            let old = [line(10, ENDS), line(11, ENDS)].concat();
            let new = [&old[..], &line(12, ENDS)].concat();
            if code == Some(0) {
                assert_eq!(found, new, "{fault}: {stderr}");
            } else {
                failed += 1;
                assert!(found == old || found == new, "{fault}: {found}");
                // An error is reported, unless that failed.
                assert!(!stderr.is_empty() || name == "write", "{fault}");
                // The next change works.
                assert!(run(&mut change(&folder)).status.success(), "{fault}");
                assert_eq!(folder.init(), new, "{fault}");
            }
        }
    }
    assert!(failed > 10, "{failed}");
}
