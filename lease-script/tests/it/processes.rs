//! How many processes a call starts, whatever the number of leases. The shell itself is not counted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rstest::rstest;

use crate::support::Implementation::{Ash, Bash, Dash, Executable};
use crate::support::{
    FreeSpaceReport, Implementation, Session, SimpleTool, TestCall, lease, on_path, test_call,
};

/// A folder with programs that write their name to `log` before they run; nothing else is on the PATH.
fn logged_programs(folder: &Path) -> PathBuf {
    let programs = folder.join("programs");
    fs::create_dir(&programs).expect("a folder");
    for name in ["mkdir", "sleep"] {
        let program = programs.join(name);
        let log = folder.join("log");
        let real = on_path(name);
        let text = format!(
            "#!/bin/sh\necho {name} >>'{}'\nexec '{}' \"$@\"\n",
            log.display(),
            real.display()
        );
        fs::write(&program, text).expect("a script");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    programs
}

#[rstest]
fn the_number_of_processes_does_not_depend_on_the_number_of_leases(
    #[values(Executable, Ash, Dash, Bash)] on: Implementation,
    #[values(0, 1, 50, 150)] leases: u8,
    #[values(FreeSpaceReport::Info, FreeSpaceReport::Show)] report: FreeSpaceReport,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let programs = logged_programs(folder.path());
    let log = folder.path().join("log");
    let mut tool = SimpleTool::new(report, 100_000);
    tool.ram = vec![(b"lan_hwaddr".to_vec(), b"02:00:00:00:00:01".to_vec())];
    for last in 1..=leases {
        let value = format!("1700000000 02:aa:00:00:00:{last:02x} 192.168.1.{last} host{last} *");
        tool.ram.push((format!("dnsmasq_lease_192.168.1.{last}").into(), value.into()));
    }
    let mut s = Session::new(on, tool);
    let mut processes = |call: TestCall| {
        fs::write(&log, "").expect("a log");
        let call = call.with("PATH", programs.as_os_str().as_encoded_bytes());
        let outcome = s.call_without_transcript(&call);
        assert_eq!((outcome.exit, outcome.stderr), (0, Vec::new()));
        let others = fs::read_to_string(&log).expect("the log");
        (s.router.commands.len() + others.lines().count(), outcome.stdout)
    };
    // The first change after a boot also makes the folder in RAM.
    let first = if leases.is_multiple_of(2) { "add" } else { "old" };
    let (first, _) = processes(lease(first, 200, "first", "1700000000"));
    assert!(first <= 4, "{first} processes for the first change");
    for (call, most) in [
        (lease("add", 201, "new", "1700000000"), 3),
        (lease("old", 201, "new", "1700000001"), 4),
        (lease("del", 200, "first", "1700000000"), 3),
    ] {
        let (count, _) = processes(call.clone());
        assert!(count <= most, "{count} processes: {call:?}");
    }
    for call in [
        lease("old", 201, "new", "1700000001"),
        lease("add", 201, "new", "1700000001"),
        lease("del", 200, "first", "1700000000"),
    ] {
        assert_eq!(processes(call.clone()).0, 1, "{call:?}");
    }
    assert_eq!(processes(test_call(["arp-add", "02:aa:00:00:00:01", "192.168.1.1"])).0, 0);
    let (count, printed) = processes(test_call(["init"]));
    assert!(count <= 2, "{count} processes for init");
    let lines = printed.iter().filter(|c| **c == b'\n').count();
    assert_eq!(lines, usize::from(leases) + 1);
}
