//! The index in RAM: a change reads one record, and never an outdated one.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::support::{JournalFolder, expect_success, line, run, text};

const ENDS: &str = "1700003600";

fn record(last: u32) -> String {
    let [_, a, b, c] = last.to_be_bytes();
    format!(
        "lease 10.{a}.{b}.{c} {{\n  ends 2 2023/11/14 23:13:20;\n  binding state active;\n  hardware ethernet \
         02:aa:00:{a:02x}:{b:02x}:{c:02x};\n}}\n"
    )
}

fn indexes(folder: &JournalFolder) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.ram()).expect("the folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// The bytes that a call reads from files, according to strace.
fn bytes_read(command: &Command) -> u64 {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-e", "trace=read,pread64,mmap", "-o"]).arg(log.path());
    traced.arg(command.get_program()).args(command.get_args()).env_clear();
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert_eq!(expect_success(&mut traced), "");
    let calls = fs::read_to_string(log.path()).expect("text");
    let reads = calls
        .lines()
        .filter(|call| !call.contains("mmap("))
        .filter_map(|call| call.rsplit_once(" = ")?.1.split(' ').next()?.parse::<u64>().ok());
    reads.sum()
}

#[test]
fn a_change_of_a_long_journal_reads_one_record() {
    let folder = JournalFolder::new();
    let journal: String = (0..10_000).map(record).collect();
    folder.write("dhcpd.leases", &journal);
    let add = |ends: &str| {
        let mut add = folder.command(&["add", "02:aa:00:00:00:07", "10.0.0.7", "pc"]);
        add.env("DNSMASQ_LEASE_EXPIRES", ends).env("LEASE_REWRITE_SIZE", "0");
        add
    };
    assert!(bytes_read(&add("1700003601")) > journal.len() as u64);
    let read = bytes_read(&add("1700003602"));
    assert!(read < 16_384, "{read} bytes");
    let unchanged = bytes_read(&add("1700003602"));
    assert!(unchanged < 16_384, "{unchanged} bytes");
    let found = folder.command(&["init"]).env("LEASE_MAX", "0").output().expect("it runs");
    let found = text(&found.stdout);
    assert_eq!(found.lines().count(), 10_000);
    assert!(found.contains("\n1700003602 02:aa:00:00:00:07 10.0.0.7 pc *\n"));
}

/// The same calls with and without an index.
#[test]
fn an_index_changes_no_result() {
    let mut random = Pcg64Mcg::seed_from_u64(11);
    let (with, without) = (JournalFolder::new(), JournalFolder::new());
    for turn in 0..150 {
        let (last, client) = (random.random_range(1..6u8), random.random_range(1..4u8));
        let action = ["add", "old", "add", "del"][random.random_range(0..4usize)];
        let is_v6 = random.random_bool(0.5);
        let ends = (1_700_000_000 + random.random_range(0..3u32)).to_string();
        let size = ["0", "1500"][usize::from(turn % 20 == 0)];
        let call = |folder: &JournalFolder| {
            let mut command = if is_v6 {
                let duid = format!("00:03:00:01:0{client}");
                let mut command = folder.command(&[action, &duid, &format!("fd77::{last}")]);
                command.env("DNSMASQ_IAID", client.to_string());
                command.env("DNSMASQ_SERVER_DUID", format!("00:01:00:01:0{}", turn / 50));
                command
            } else {
                let hardware = format!("02:aa:00:00:00:0{client}");
                folder.command(&[action, &hardware, &format!("192.168.1.{last}"), "pc"])
            };
            command.env("DNSMASQ_LEASE_EXPIRES", &ends).env("LEASE_REWRITE_SIZE", size);
            command
        };
        let output = run(&mut call(&with));
        let plain = run(call(&without).env("LEASE_RUN", "/nonexistent"));
        assert_eq!(output, plain, "{turn}");
        assert_eq!(with.init(), without.init(), "{turn}");
        let length = |folder: &JournalFolder, name| {
            fs::metadata(folder.path(name)).map_or(0, |data| data.len())
        };
        for name in ["dhcpd.leases", "dhcpd6.leases"] {
            assert_eq!(length(&with, name), length(&without, name), "{turn}");
        }
    }
    assert_eq!(indexes(&with).len(), 2);
    assert_eq!(with.names(), without.names());
}

#[test]
fn changes_by_other_programs_are_seen() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, ENDS));
    expect_success(&mut folder.add(12, ENDS));
    let old = folder.read("dhcpd.leases");
    expect_success(&mut folder.command(&["del", "02:aa:00:00:00:0b", "192.168.1.11"]));
    // An earlier copy is put back: the lease must be removed again.
    folder.write("dhcpd.leases", &old);
    expect_success(&mut folder.command(&["del", "02:aa:00:00:00:0b", "192.168.1.11"]));
    assert_eq!(folder.init(), line(12, ENDS));
    // Another program appends a record.
    let other = record(5) + &old[old.find("lease 192.168.1.11").expect("a record")..];
    let end = other.find("\n}\n").expect("an end") + 3;
    let other = other[end..].split("# record").next().expect("a record").to_owned();
    folder.write("dhcpd.leases", &(folder.read("dhcpd.leases") + &other));
    let before = folder.read("dhcpd.leases");
    expect_success(&mut folder.add(11, ENDS));
    assert_eq!(folder.read("dhcpd.leases"), before, "it is stored already");
    assert_eq!(folder.init(), [line(11, ENDS), line(12, ENDS)].concat());
}

/// Files that somebody else may have put in its place.
#[test]
fn an_index_that_cannot_be_trusted_is_not_used() {
    let folder = JournalFolder::new();
    let mut ends = 1_700_000_000;
    let mut change = || {
        ends += 1;
        expect_success(&mut folder.add(11, &ends.to_string()));
        assert_eq!(folder.init(), line(11, &ends.to_string()));
    };
    change();
    let index = indexes(&folder).pop().expect("an index");
    let victim = folder.path("victim");
    fs::write(&victim, "as it was").expect("space");
    fs::remove_file(&index).expect("there");
    symlink(&victim, &index).expect("a link");
    change();
    fs::remove_file(&index).expect("there");
    fs::hard_link(&victim, &index).expect("a link");
    change();
    fs::remove_file(&index).expect("there");
    fs::write(&index, "as it was").expect("space");
    fs::set_permissions(&index, Permissions::from_mode(0o666)).expect("ours");
    change();
    assert_eq!(fs::read(&index).expect("there"), b"as it was");
    assert_eq!(fs::read(&victim).expect("there"), b"as it was");
    // Its own file with other contents.
    fs::remove_file(&index).expect("there");
    change();
    let mut bytes = fs::read(&index).expect("an index");
    for at in [3, 20, 70, 100] {
        bytes[at] ^= 1;
        fs::write(&index, &bytes).expect("space");
        change();
    }
    fs::write(&index, &bytes[..100]).expect("space");
    change();
}
