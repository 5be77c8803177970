//! Without `LEASE_NVRAM`, the tool is `nvram` from the PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use assert_cmd::assert::OutputAssertExt;
use predicates::prelude::*;
use rstest::rstest;

use crate::support::Implementation;

fn init(on: Implementation, path: &Path) -> assert_cmd::assert::Assert {
    let mut command = on.command().expect("a program");
    // The script needs awk, too.
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([path.to_owned()].into_iter().chain(std::env::split_paths(&rest)));
    command
        .env_clear()
        .env("PATH", path.expect("a path"))
        .env("LEASE_STRICT", "1")
        .arg("init")
        .assert()
}

#[rstest]
fn the_tool_on_the_path_is_used(
    #[values(
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let tool = directory.path().join("nvram");
    let line = "0 02:aa:00:00:00:01 10.0.0.1 * *";
    let text = format!(
        "#!/bin/sh\ncase $1 in\nget) echo '{line}' ;;\nshow) echo 'dnsmasq_lease_10.0.0.1={line}' ;;\nesac\n"
    );
    fs::write(&tool, text).expect("a script");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a mode");
    init(on, directory.path())
        .success()
        .stdout(format!("{line}\n"))
        .stderr(predicate::str::is_empty());
}

#[rstest]
fn a_missing_tool_is_reported(
    #[values(
        Implementation::Executable,
        Implementation::Ash,
        Implementation::Dash,
        Implementation::Bash
    )]
    on: Implementation,
) {
    assert!(!Path::new("/usr/sbin/nvram").exists(), "this machine is a router");
    let directory = tempfile::tempdir().expect("a directory");
    init(on, directory.path())
        .code(1)
        .stdout(predicate::str::is_empty())
        .stderr("lease-update: cannot read NVRAM: no program nvram: no leases\n");
}

/// In a jail, there may be nothing but the tool.
#[rstest]
fn a_missing_awk_is_reported(
    // busybox ash has an awk of its own.
    #[values(Implementation::Dash, Implementation::Bash)] on: Implementation,
    #[values("init", "add")] action: &str,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let tool = directory.path().join("nvram");
    let log = directory.path().join("log");
    let text = format!("#!/bin/sh\necho \"$@\" >>'{}'; echo a=1; echo b=2\n", log.display());
    fs::write(&tool, text).expect("a script");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a mode");
    let mut command = on.command().expect("a program");
    command.env_clear().env("PATH", directory.path()).env("LEASE_STRICT", "1");
    command.args([action, "02:aa:00:00:00:01", "192.168.1.1"]).env("DNSMASQ_LEASE_EXPIRES", "1");
    let message = if action == "init" { "no program awk: no leases\n" } else { "no program awk\n" };
    command.assert().code(1).stderr(format!("lease-update: cannot read NVRAM: {message}"));
    let words = fs::read_to_string(&log).expect("a log");
    assert!(!words.contains("set "), "nothing is stored or removed: {words}");
}
