//! Paths that do not name a journal: nothing is lost or overwritten.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use rustix::fs::{FlockOperation, flock};

use super::support::{JournalFolder, expect_failure, expect_success, line, run, text};

const ENDS: &str = "1700003600";

#[test]
fn a_directory_is_not_a_journal() {
    let folder = JournalFolder::new();
    fs::create_dir(folder.path("dhcpd.leases")).expect("a folder");
    assert!(expect_failure(&mut folder.add(11, ENDS)).contains("dhcpd.leases: not a regular file"));
    // dnsmasq starts nevertheless, unless LEASE_STRICT is set.
    let output = run(&mut folder.command(&["init"]));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()));
    assert!(text(&output.stderr).contains("not a regular file"));
    assert_eq!(run(folder.command(&["init"]).env("LEASE_STRICT", "1")).status.code(), Some(1));
}

#[test]
fn a_device_and_a_missing_directory_are_refused() {
    let folder = JournalFolder::new();
    for (path, reason) in [
        ("/dev/full", "not a regular file"),
        ("/nowhere/at/all/dhcpd.leases", "no such file"),
        ("/", "is a folder"),
    ] {
        let mut add = folder.add(11, ENDS);
        let message = expect_failure(add.env("LEASE_STORE", format!("journal:{path}")));
        assert!(message.to_lowercase().contains(reason), "{path}: {message}");
    }
    let mut add = folder.add(11, ENDS);
    assert!(expect_failure(add.env("LEASE_STORE", "journal:")).contains("no path"));
}

#[test]
fn garbage_is_not_changed() {
    let folder = JournalFolder::new();
    for garbage in [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0xff; 5000], &[0; 300]] {
        fs::write(folder.path("dhcpd.leases"), garbage).expect("space on the disk");
        let message = expect_failure(&mut folder.add(11, ENDS));
        assert!(message.contains("contains no readable declaration"), "{message}");
        assert_eq!(fs::read(folder.path("dhcpd.leases")).expect("there"), garbage);
    }
}

/// A gigabyte of zeros, which takes no space: neither read into memory nor changed.
#[test]
fn a_journal_that_is_too_large_is_refused() {
    let folder = JournalFolder::new();
    folder.write("dhcpd.leases", "");
    let file = fs::File::options().write(true).open(folder.path("dhcpd.leases")).expect("a file");
    file.set_len(1 << 30).expect("a sparse file");
    let message = expect_failure(&mut folder.add(10, "1700003600"));
    assert_eq!(message, "lease-update: dhcpd.leases: file too large\n");
    assert_eq!(file.metadata().expect("a file").len(), 1 << 30);
}

#[test]
fn a_symbolic_link_is_kept() {
    let folder = JournalFolder::new();
    fs::create_dir(folder.path("flash")).expect("a folder");
    symlink("flash/real.leases", folder.path("dhcpd.leases")).expect("a link");
    expect_success(&mut folder.add(11, ENDS));
    expect_success(folder.add(12, ENDS).env("LEASE_REWRITE_SIZE", "100"));
    assert_eq!(folder.init(), [line(11, ENDS), line(12, ENDS)].concat());
    assert!(fs::symlink_metadata(folder.path("dhcpd.leases")).expect("there").is_symlink());
    assert!(
        folder.path("flash/real.leases").is_file() && folder.path("flash/real.leases~").is_file()
    );
    symlink("loop", folder.path("loop")).expect("a link");
    let mut add = folder.add(12, ENDS);
    add.env("LEASE_STORE", format!("journal:{}", folder.path("loop").display()));
    assert!(expect_failure(&mut add).contains("symbolic links"));
}

#[test]
fn permissions_are_kept() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, ENDS));
    fs::set_permissions(folder.path("dhcpd.leases"), Permissions::from_mode(0o600)).expect("ours");
    expect_success(folder.add(12, ENDS).env("LEASE_REWRITE_SIZE", "100"));
    let mode = fs::metadata(folder.path("dhcpd.leases")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(folder.names().contains(&"dhcpd.leases~".to_owned()));
}

#[test]
fn after_a_failed_rewrite_the_live_file_is_appended_to() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, ENDS));
    // A directory blocks the name of the temporary file.
    fs::create_dir(folder.path("dhcpd.leases.tmp")).expect("a folder");
    for turn in 0..30 {
        let ends = (1_700_000_000 + turn).to_string();
        let stderr = expect_success(folder.add(12, &ends).env("LEASE_REWRITE_SIZE", "1000"));
        let is_expected = stderr.is_empty()
            || stderr.contains("appending continues, the rewrite is retried later");
        assert!(is_expected, "{stderr}");
        assert_eq!(folder.init(), [line(11, ENDS), line(12, &ends)].concat());
    }
    let grown = folder.read("dhcpd.leases").len();
    assert!(grown > 4000, "{grown}");
    fs::remove_dir(folder.path("dhcpd.leases.tmp")).expect("empty");
    for turn in 30..40 {
        let ends = (1_700_000_000 + turn).to_string();
        expect_success(folder.add(12, &ends).env("LEASE_REWRITE_SIZE", "1000"));
    }
    assert!(folder.read("dhcpd.leases").len() < grown);
    assert_eq!(folder.init(), [line(11, ENDS), line(12, "1700000039")].concat());
}

#[test]
fn a_writer_waits_for_the_lock() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, ENDS));
    let directory = File::open(folder.path("")).expect("the folder");
    flock(&directory, FlockOperation::LockExclusive).expect("free");
    // Readers need no lock.
    assert_eq!(folder.init(), line(11, ENDS));
    let mut add = folder.add(12, ENDS).spawn().expect("started");
    flock(&directory, FlockOperation::Unlock).expect("ours");
    assert!(add.wait().expect("ended").success());
    assert_eq!(folder.init(), [line(11, ENDS), line(12, ENDS)].concat());
}

/// A call by a user other than root, who may read and write everything.
fn by_nobody(folder: &JournalFolder, command: &Command) -> Command {
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65534;
    let mut other = Command::new(command.get_program());
    if rustix::process::geteuid().is_root() {
        // Other users may not be able to read the build directory.
        let copy = folder.path("lease-update");
        fs::copy(command.get_program(), &copy).expect("space on the disk");
        other = Command::new(copy);
        other.uid(NOBODY).gid(NOBODY);
    }
    other.args(command.get_args()).env_clear();
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    other
}

#[test]
fn missing_permissions_are_reported_and_change_nothing() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, ENDS));
    let file = folder.read("dhcpd.leases");
    let mode = |path: &str, mode| {
        fs::set_permissions(folder.path(path), Permissions::from_mode(mode)).expect("ours");
    };
    let denied = |command: &Command| {
        let message = expect_failure(&mut by_nobody(&folder, command));
        assert!(message.to_lowercase().contains("permission denied"), "{message}");
    };
    mode("", 0o755);
    mode("dhcpd.leases", 0);
    denied(&folder.add(12, ENDS));
    denied(folder.command(&["init"]).env("LEASE_STRICT", "1"));
    mode("dhcpd.leases", 0o444);
    mode("", 0o555);
    denied(&folder.add(12, ENDS));
    // The journal can be read.
    let output = run(&mut by_nobody(&folder, &folder.command(&["init"])));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), line(11, ENDS)));
    mode("", 0o755);
    assert_eq!(folder.read("dhcpd.leases"), file);
}

#[test]
fn a_byte_order_mark_loses_no_lease() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, ENDS));
    let file = folder.read("dhcpd.leases");
    let record = &file[file.find("lease 192").expect("a lease")..];
    folder.write("dhcpd.leases", &format!("\u{feff}{record}"));
    assert_eq!(folder.init(), line(11, ENDS));
    expect_success(&mut folder.add(12, ENDS));
    assert_eq!(folder.init(), [line(11, ENDS), line(12, ENDS)].concat());
}
