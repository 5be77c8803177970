//! A directory with a journal, and calls of the executable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

pub(super) struct JournalFolder {
    folder: TempDir,
    ram: TempDir,
}

impl JournalFolder {
    pub(super) fn new() -> Self {
        let new = || tempfile::tempdir().expect("a folder");
        Self { folder: new(), ram: new() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the index.
    pub(super) fn ram(&self) -> &Path {
        self.ram.path()
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("space on the disk");
    }

    /// Sets the modification time of a file to this number of seconds ago.
    pub(super) fn set_age(&self, name: &str, seconds: u64) {
        let file = fs::File::options().append(true).open(self.path(name)).expect("the file");
        let then = SystemTime::now() - Duration::from_secs(seconds);
        file.set_modified(then).expect("a time");
    }

    /// The names of all files except locks.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.retain(|name| {
            std::path::Path::new(name).extension().is_none_or(|extension| extension != "lock")
        });
        names.sort();
        names
    }

    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lease-update"));
        command
            .args(words)
            .env_clear()
            .env("LEASE_STORE", format!("journal:{}", self.path("dhcpd.leases").display()))
            .env("LEASE_RUN", self.ram.path())
            .stdin(Stdio::null());
        command
    }

    /// An `add` for the lease of 192.168.1.LAST until `ends`.
    pub(super) fn add(&self, last: u8, ends: &str) -> Command {
        let hardware = format!("02:aa:00:00:00:{last:02x}");
        let mut command = self.command(&["add", &hardware, &format!("192.168.1.{last}"), "pc"]);
        command.env("DNSMASQ_LEASE_EXPIRES", ends);
        command
    }

    /// The output of `init`, which must exit with 0.
    pub(super) fn init(&self) -> String {
        let output = run(&mut self.command(&["init"]));
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    }
}

pub(super) fn line(last: u8, ends: &str) -> String {
    format!("{ends} 02:aa:00:00:00:{last:02x} 192.168.1.{last} pc *\n")
}

pub(super) fn run(command: &mut Command) -> Output {
    command.output().expect("lease-update starts")
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command that must succeed; returns its standard error.
pub(super) fn expect_success(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{output:?}");
    text(&output.stderr)
}

/// Runs a command that must fail with 1 and one line; returns the line.
pub(super) fn expect_failure(command: &mut Command) -> String {
    let output = run(command);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}
