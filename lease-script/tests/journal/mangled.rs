//! Damaged journals: a change must not lose a lease that `init` found before.

use std::fs;

use super::support::{JournalFolder, expect_success, run, text};

/// Journals that a fuzzer damaged.
const DAMAGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/damaged-journals");

#[test]
fn a_change_loses_no_lease_that_was_found_in_a_damaged_journal() {
    let mut changed = 0;
    for entry in fs::read_dir(DAMAGED).expect("the journals") {
        let path = entry.expect("an entry").path();
        let folder = JournalFolder::new();
        fs::copy(&path, folder.path("dhcpd.leases")).expect("space");
        let before = folder.init();
        let mut add = folder.command(&["add", "02:aa:00:00:00:01", "172.16.9.9", "pc"]);
        let output = run(add.env("DNSMASQ_LEASE_EXPIRES", "1700003600"));
        let mut wanted: Vec<&str> = before.lines().collect();
        let name = path.display();
        if output.status.success() {
            changed += 1;
            wanted.push("1700003600 02:aa:00:00:00:01 172.16.9.9 pc *");
        } else {
            let stderr = text(&output.stderr);
            assert!(stderr.contains("contains no readable declaration"), "{name}: {stderr}");
            assert_eq!(fs::read(&path).ok(), fs::read(folder.path("dhcpd.leases")).ok(), "{name}");
        }
        let after = folder.init();
        assert_eq!(after.lines().collect::<Vec<_>>(), wanted, "{name}");
        // The journal is whole again: the next change has nothing to report.
        if output.status.success() {
            let stderr = expect_success(folder.add(12, "1700003600").env("LEASE_STRICT", "1"));
            assert_eq!(stderr, "", "{name}");
        }
    }
    assert!(changed > 8, "{changed}");
}

fn with_leases(count: u8) -> JournalFolder {
    let folder = JournalFolder::new();
    for last in 1..=count {
        expect_success(folder.add(last, "1700003600").env("LEASE_REWRITE_SIZE", "0"));
    }
    folder
}

/// A digit of an expiry changes: dhcpd would believe it.
#[test]
fn a_damaged_record_that_can_be_parsed_is_not_believed() {
    let folder = with_leases(5);
    let before = folder.init();
    let file = folder.read("dhcpd.leases");
    let record = file.find("lease 192.168.1.3 ").expect("a lease");
    let digit = record + file[record..].find("23:13:20").expect("its end");
    let damaged = [&file[..digit], "22", &file[digit + 2..]].concat();
    folder.write("dhcpd.leases", &damaged);
    let output = run(&mut folder.command(&["init"]));
    let wanted: String =
        before.split_inclusive('\n').filter(|line| !line.contains(".1.3 ")).collect();
    assert_eq!(text(&output.stdout), wanted);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("damaged: record 4 does not match its checksum"), "{stderr}");
    // The damaged journal is kept, and the rest of it rewritten.
    let stderr = expect_success(&mut folder.add(6, "1700003600"));
    assert!(stderr.contains("kept as dhcpd.leases.damaged"), "{stderr}");
    assert_eq!(folder.read("dhcpd.leases.damaged"), damaged);
    assert_eq!(folder.init(), wanted + "1700003600 02:aa:00:00:00:06 192.168.1.6 pc *\n");
}

/// An index finds the record, and its checksum shows that it cannot be believed.
#[test]
fn damage_is_noticed_by_a_change_that_reads_one_record() {
    use std::os::unix::fs::FileExt as _;
    let folder = with_leases(3);
    let data = fs::metadata(folder.path("dhcpd.leases")).expect("a file");
    let file = folder.read("dhcpd.leases");
    let at = file.find("lease 192.168.1.2 ").expect("a lease");
    let at = at + file[at..].find("23:13:20").expect("its end");
    // A failing disk changes neither length nor times.
    let opened = fs::File::options().write(true).open(folder.path("dhcpd.leases")).expect("a file");
    opened.write_all_at(b"22", at as u64).expect("space");
    opened.set_modified(data.modified().expect("a time")).expect("ours");
    let stderr = expect_success(&mut folder.add(2, "1700003600"));
    assert!(stderr.contains("kept as dhcpd.leases.damaged"), "{stderr}");
    assert_eq!(folder.init().lines().count(), 3);
}

#[test]
fn an_earlier_damaged_file_does_not_stop_rewrites() {
    let folder = with_leases(2);
    folder.write("dhcpd.leases.damaged", "the first one\n");
    for turn in 0..3 {
        let file = folder.read("dhcpd.leases");
        let damaged = file.replacen("client-hostname", "client-bostname", 1);
        folder.write("dhcpd.leases", &damaged);
        let stderr = expect_success(
            folder.add(3, &format!("170000360{turn}")).env("LEASE_REWRITE_SIZE", "0"),
        );
        assert!(stderr.contains("kept as dhcpd.leases.damaged.1"), "{stderr}");
        assert_eq!(folder.read("dhcpd.leases.damaged.1"), damaged);
        assert_eq!(expect_success(&mut folder.command(&["init"])), "");
    }
    assert_eq!(folder.read("dhcpd.leases.damaged"), "the first one\n");
}

/// dnsmasq reads at most 255 characters, so it would not start.
#[test]
fn a_server_duid_that_is_too_long_is_left_out() {
    let folder = JournalFolder::new();
    let v6 = |bytes: usize| {
        let duid = "\\001".repeat(bytes);
        format!("authoring-byte-order little-endian;\nserver-duid \"{duid}\";\n")
    };
    folder.write("dhcpd6.leases", &v6(85));
    assert_eq!(folder.init(), format!("duid {}\n", ["01"; 85].join(":")));
    folder.write("dhcpd6.leases", &v6(86));
    let output = run(&mut folder.command(&["init"]));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("duid: left out: 86 bytes long"), "{output:?}");
}
