//! Runs the `leaselab` executable in a temporary folder, and records its output.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// A scenario of two cases, with markup in its title.
pub(crate) const TWO_CLIENTS: &str = r#"title = "Leases of <b>two</b> clients & a power cut"
[parameters]
dialect = ["openwrt", "broadcom"]
[router]
dialect = "$dialect"
[[step]]
boot = {}
[[step]]
join = { client = "pc", count = 2 }
[[step]]
power-cut = true
[[step]]
boot = { off = "5m" }
"#;

/// A script that commits before it sets, so that an acknowledged lease is only in RAM.
pub(crate) const COMMITS_FIRST: &str = r#"#!/bin/sh
case $1 in
init) nvram show 2>/dev/null | sed -n 's/^dnsmasq_lease_[^=]*=//p' ;;
add | old)
    nvram commit
    nvram set "dnsmasq_lease_$3=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
    ;;
esac
"#;

/// A folder with scenario files and scripts.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; a text that begins with `#!` is executable.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        let is_script = text.as_ref().starts_with(b"#!");
        std::fs::write(&path, text).expect("a file");
        if is_script {
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("a run bit");
        }
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("a file that was written")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leaselab"));
        command.args(arguments).current_dir(self.path()).env_remove("CLICOLOR_FORCE");
        command
    }

    /// A command line, run by a shell that finds `leaselab`.
    pub(crate) fn shell(&self, line: &str) -> Command {
        let executable = Path::new(env!("CARGO_BIN_EXE_leaselab"));
        let folder = executable.parent().expect("a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.path()).env_remove("CLICOLOR_FORCE");
        command.env("PATH", format!("{folder}:{path}"));
        command
    }

    /// The command lines of `leaselab` that a run printed, in their order.
    pub(crate) fn printed_commands(stdout: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(stdout);
        let commands: Vec<String> = text
            .lines()
            .filter_map(|line| {
                let (before, _) = line.split_once("leaselab ")?;
                let label = before.trim();
                (label.is_empty() || label.ends_with(':')).then(|| &line[before.len()..])
            })
            .map(str::to_owned)
            .collect();
        assert!(!commands.is_empty(), "{text}");
        commands
    }

    /// stdout, stderr and exit code as one text, without durations.
    pub(crate) fn transcript(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("leaselab runs");
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.lines().flat_map(|line| [without_time(line), "\n"]).collect::<String>()
        };
        format!(
            "{}{}exit {}\n",
            text(&output.stdout),
            text(&output.stderr),
            output.status.code().unwrap_or(-1)
        )
    }
}

/// Removes the duration at the end of the line of a scenario file.
fn without_time(line: &str) -> &str {
    match line.strip_suffix(" s").and_then(|line| line.rsplit_once("erases")) {
        Some((head, _)) => head,
        None => line,
    }
}
