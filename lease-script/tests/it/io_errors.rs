//! Every system call of a change in NVRAM fails once: the exit code says what was stored, and no stored lease is lost.

use std::fs;

use crate::support::{
    Fault, FreeSpaceReport, Implementation, Session, SimpleTool, calls_from, lease, test_call,
    traced,
};

/// A router with a lease in flash, and a second one in RAM only: a call was killed between `set` and `commit`.
fn session() -> Session {
    let mut session =
        Session::new(Implementation::Executable, SimpleTool::new(FreeSpaceReport::Show, 5000));
    assert_eq!(session.call(lease("add", 1, "one", "1700000000")).exit, 0);
    let killed = lease("add", 2, "two", "1700000000").with_fault(Fault::KillBefore("commit"));
    assert!(session.call(killed).killed);
    session
}

/// The lines that `init` prints after a reboot.
fn stored(session: &mut Session) -> String {
    session.reboot();
    let outcome = session.call(test_call(["init"]));
    assert_eq!(outcome.exit, 0, "{outcome:?}");
    String::from_utf8(outcome.stdout).expect("text")
}

#[test]
fn no_failing_system_call_loses_a_stored_lease_in_nvram() {
    let executable = Implementation::Executable.command().expect("an executable");
    let change = || lease("add", 3, "three", "1700000000");
    // What the killed call has set is committed with the change.
    let new = "1700000000 02:aa:00:00:00:01 192.168.1.1 one *\n\
               1700000000 02:aa:00:00:00:02 192.168.1.2 two *\n\
               1700000000 02:aa:00:00:00:03 192.168.1.3 three *\n";

    let mut probe = session();
    let log = tempfile::NamedTempFile::new().expect("a file");
    let options = ["-o", log.path().to_str().expect("UTF-8")];
    assert_eq!(probe.call_of(Some(traced(&options, &executable)), &change()).exit, 0);
    // The first use of the tool.
    let calls = calls_from("pipe2", &fs::read_to_string(log.path()).expect("text"));
    assert!(calls.len() > 20, "{calls:?}");

    let mut failed = 0;
    for (name, number) in &calls {
        let fault = format!("inject={name}:error=EIO:when={number}");
        let options = ["-o", "/dev/null", "-e", &fault];
        let mut session = session();
        let outcome = session.call_of(Some(traced(&options, &executable)), &change());
        let stderr = String::from_utf8_lossy(&outcome.stderr).into_owned();
        assert!(matches!(outcome.exit, 0 | 1) && !stderr.contains("panicked"), "{fault}: {stderr}");
        if outcome.exit == 0 {
            assert_eq!(stored(&mut session), new, "{fault}: {stderr}");
        } else {
            failed += 1;
            assert!(!stderr.is_empty(), "{fault}");
            // The next change works, and commits what was set before.
            assert_eq!(session.call(change()).exit, 0, "{fault}");
            assert_eq!(stored(&mut session), new, "{fault}: {stderr}");
        }
    }
    assert!(failed > 10, "{failed}");
    println!("{} system calls failed, {failed} changes with them", calls.len());
}
