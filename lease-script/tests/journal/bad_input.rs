//! Paths that do not name a journal: nothing is lost or overwritten.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use rustix::fs::{FlockOperation, flock};

use super::support::{Place, line, refused, run, said, text};

const ENDS: &str = "1700003600";

#[test]
fn a_directory_is_not_a_journal() {
    let place = Place::new();
    fs::create_dir(place.path("dhcpd.leases")).expect("a folder");
    assert!(refused(&mut place.add(11, ENDS)).contains("dhcpd.leases: is no regular file"));
    // dnsmasq starts nevertheless, unless LEASE_STRICT is set.
    let output = run(&mut place.command(&["init"]));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()));
    assert!(text(&output.stderr).contains("is no regular file"));
    assert_eq!(run(place.command(&["init"]).env("LEASE_STRICT", "1")).status.code(), Some(1));
}

#[test]
fn a_device_and_a_missing_directory_are_refused() {
    let place = Place::new();
    for (path, reason) in [
        ("/dev/full", "is no regular file"),
        ("/nowhere/at/all/dhcpd.leases", "no such file"),
        ("/", "is a folder"),
    ] {
        let mut add = place.add(11, ENDS);
        let complaint = refused(add.env("LEASE_STORE", format!("journal:{path}")));
        assert!(complaint.to_lowercase().contains(reason), "{path}: {complaint}");
    }
    let mut add = place.add(11, ENDS);
    assert!(refused(add.env("LEASE_STORE", "journal:")).contains("no path"));
}

#[test]
fn garbage_is_not_changed() {
    let place = Place::new();
    for garbage in [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0xff; 5000], &[0; 300]] {
        fs::write(place.path("dhcpd.leases"), garbage).expect("room");
        let complaint = refused(&mut place.add(11, ENDS));
        assert!(complaint.contains("holds nothing that reads as a lease journal"), "{complaint}");
        assert_eq!(fs::read(place.path("dhcpd.leases")).expect("there"), garbage);
    }
}

#[test]
fn a_symbolic_link_is_kept() {
    let place = Place::new();
    fs::create_dir(place.path("flash")).expect("a folder");
    symlink("flash/real.leases", place.path("dhcpd.leases")).expect("a link");
    said(&mut place.add(11, ENDS));
    said(place.add(12, ENDS).env("LEASE_REWRITE_SIZE", "100"));
    assert_eq!(place.init(), [line(11, ENDS), line(12, ENDS)].concat());
    assert!(fs::symlink_metadata(place.path("dhcpd.leases")).expect("there").is_symlink());
    assert!(
        place.path("flash/real.leases").is_file() && place.path("flash/real.leases~").is_file()
    );
    symlink("loop", place.path("loop")).expect("a link");
    let mut add = place.add(12, ENDS);
    add.env("LEASE_STORE", format!("journal:{}", place.path("loop").display()));
    assert!(refused(&mut add).contains("symbolic links"));
}

#[test]
fn permissions_are_kept() {
    let place = Place::new();
    said(&mut place.add(11, ENDS));
    fs::set_permissions(place.path("dhcpd.leases"), Permissions::from_mode(0o600)).expect("ours");
    said(place.add(12, ENDS).env("LEASE_REWRITE_SIZE", "100"));
    let mode = fs::metadata(place.path("dhcpd.leases")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(place.names().contains(&"dhcpd.leases~".to_owned()));
}

#[test]
fn after_a_failed_rewrite_the_live_file_is_appended_to() {
    let place = Place::new();
    said(&mut place.add(11, ENDS));
    // A directory blocks the name of the temporary file.
    fs::create_dir(place.path("dhcpd.leases.tmp")).expect("a folder");
    for turn in 0..30 {
        let ends = (1_700_000_000 + turn).to_string();
        let stderr = said(place.add(12, &ends).env("LEASE_REWRITE_SIZE", "1000"));
        let told = stderr.is_empty() || stderr.contains("appending goes on, tried again later");
        assert!(told, "{stderr}");
        assert_eq!(place.init(), [line(11, ENDS), line(12, &ends)].concat());
    }
    let grown = place.read("dhcpd.leases").len();
    assert!(grown > 4000, "{grown}");
    fs::remove_dir(place.path("dhcpd.leases.tmp")).expect("empty");
    for turn in 30..40 {
        let ends = (1_700_000_000 + turn).to_string();
        said(place.add(12, &ends).env("LEASE_REWRITE_SIZE", "1000"));
    }
    assert!(place.read("dhcpd.leases").len() < grown);
    assert_eq!(place.init(), [line(11, ENDS), line(12, "1700000039")].concat());
}

#[test]
fn a_writer_waits_for_the_lock() {
    let place = Place::new();
    said(&mut place.add(11, ENDS));
    let folder = File::open(place.path("")).expect("the folder");
    flock(&folder, FlockOperation::LockExclusive).expect("free");
    // Readers need no lock.
    assert_eq!(place.init(), line(11, ENDS));
    let mut add = place.add(12, ENDS).spawn().expect("started");
    flock(&folder, FlockOperation::Unlock).expect("ours");
    assert!(add.wait().expect("ended").success());
    assert_eq!(place.init(), [line(11, ENDS), line(12, ENDS)].concat());
}

/// A call by a user other than root, who may read and write everything.
fn by_nobody(place: &Place, command: &Command) -> Command {
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65534;
    let mut other = Command::new(command.get_program());
    if rustix::process::geteuid().is_root() {
        // Other users may not be able to read the build directory.
        let copy = place.path("lease-update");
        fs::copy(command.get_program(), &copy).expect("room");
        other = Command::new(copy);
        other.uid(NOBODY).gid(NOBODY);
    }
    other.args(command.get_args()).env_clear();
    other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    other
}

#[test]
fn missing_permissions_are_reported_and_change_nothing() {
    let place = Place::new();
    said(&mut place.add(11, ENDS));
    let file = place.read("dhcpd.leases");
    let mode = |path: &str, mode| {
        fs::set_permissions(place.path(path), Permissions::from_mode(mode)).expect("ours");
    };
    let denied = |command: &Command| {
        let complaint = refused(&mut by_nobody(&place, command));
        assert!(complaint.to_lowercase().contains("permission denied"), "{complaint}");
    };
    mode("", 0o755);
    mode("dhcpd.leases", 0);
    denied(&place.add(12, ENDS));
    denied(place.command(&["init"]).env("LEASE_STRICT", "1"));
    mode("dhcpd.leases", 0o444);
    mode("", 0o555);
    denied(&place.add(12, ENDS));
    // The journal can be read.
    let output = run(&mut by_nobody(&place, &place.command(&["init"])));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), line(11, ENDS)));
    mode("", 0o755);
    assert_eq!(place.read("dhcpd.leases"), file);
}

#[test]
fn a_byte_order_mark_loses_no_lease() {
    let place = Place::new();
    said(&mut place.add(11, ENDS));
    let file = place.read("dhcpd.leases");
    let record = &file[file.find("lease 192").expect("a lease")..];
    place.write("dhcpd.leases", &format!("\u{feff}{record}"));
    assert_eq!(place.init(), line(11, ENDS));
    said(&mut place.add(12, ENDS));
    assert_eq!(place.init(), [line(11, ENDS), line(12, ENDS)].concat());
}
