//! Without `LEASE_NVRAM`, the tool is `nvram` from the PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use assert_cmd::assert::OutputAssertExt;
use predicates::prelude::*;
use rstest::rstest;

use crate::support::Implementation;
use crate::support::Implementation::{Ash, Bash, Dash, Executable};

fn init(on: Implementation, path: &Path) -> assert_cmd::assert::Assert {
    let mut command = on.command().expect("a program");
    command.env_clear().env("PATH", path).env("LEASE_STRICT", "1").arg("init").assert()
}

#[rstest]
fn the_tool_on_the_path_is_used(#[values(Executable, Ash, Dash, Bash)] on: Implementation) {
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
fn a_missing_tool_is_reported(#[values(Executable, Ash, Dash, Bash)] on: Implementation) {
    assert!(!Path::new("/usr/sbin/nvram").exists(), "this machine is a router");
    let directory = tempfile::tempdir().expect("a directory");
    init(on, directory.path())
        .code(1)
        .stdout(predicate::str::is_empty())
        .stderr("lease-update: cannot read NVRAM: no program nvram: no leases\n");
}

/// In a jail, there may be nothing but the tool.
#[rstest]
fn no_other_program_is_needed(#[values(Ash, Dash, Bash)] on: Implementation) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let line = "1 02:aa:00:00:00:01 10.0.0.1 * *";
    // The first `set` stores the variable.
    let text = format!(
        "#!/bin/sh\nfor word; do case $word in\nset) : >'{0}' ;;\nget) [ ! -f '{0}' ] || echo '{line}' ;;\n\
         show) echo 'lan_proto=dhcp' ;;\nesac; done\n",
        path("stored").display()
    );
    fs::write(path("nvram"), text).expect("a script");
    fs::set_permissions(path("nvram"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let mut command = on.command().expect("a program");
    command.env_clear().env("PATH", directory.path()).env("LEASE_RUN", "/nowhere");
    command.args(["add", "02:aa:00:00:00:01", "10.0.0.1"]).env("DNSMASQ_LEASE_EXPIRES", "1");
    let message = "lease-update: no lock in RAM: /nowhere/.dnsmasq_lease_run is not ours\n";
    command.assert().success().stderr(message);
    assert!(path("stored").exists());
}
