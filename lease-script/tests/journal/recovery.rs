//! Recovery of a live file that is missing, empty, torn or damaged.

use super::support::{JournalFolder, expect_failure, expect_success, line, run, text};

const ENDS: &str = "1700003600";

/// A journal with a lease, and its text.
fn with_lease() -> (JournalFolder, String) {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, ENDS));
    let file = folder.read("dhcpd.leases");
    (folder, file)
}

fn init_says(folder: &JournalFolder) -> (String, String) {
    let output = run(&mut folder.command(&["init"]));
    assert!(output.status.success(), "{output:?}");
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_any_file_an_empty_database_is_created() {
    let folder = JournalFolder::new();
    let (stdout, stderr) = init_says(&folder);
    assert_eq!(stdout, "");
    assert!(
        stderr.contains("dhcpd.leases is missing") && stderr.contains("empty database"),
        "{stderr}"
    );
    assert_eq!(folder.names(), ["dhcpd.leases"]);
    assert_eq!(init_says(&folder), (String::new(), String::new()));
}

#[test]
fn the_backup_replaces_a_missing_or_empty_file() {
    for empty in [false, true] {
        let (folder, file) = with_lease();
        folder.write("dhcpd.leases~", &file);
        std::fs::remove_file(folder.path("dhcpd.leases")).expect("it was there");
        if empty {
            folder.write("dhcpd.leases", "");
        }
        let (stdout, stderr) = init_says(&folder);
        assert_eq!(stdout, line(11, ENDS));
        assert!(stderr.contains("dhcpd.leases~ replaces it"), "{stderr}");
        assert_eq!(folder.read("dhcpd.leases"), file);
        assert_eq!(folder.names(), ["dhcpd.leases"]);
    }
}

#[test]
fn a_newer_temporary_file_is_used_only_if_it_is_complete() {
    let (folder, old) = with_lease();
    expect_success(folder.add(12, ENDS).env("LEASE_REWRITE_SIZE", "100"));
    // The contents of the temporary file of the rewrite.
    let new = folder.read("dhcpd.leases");
    for cut in (0..=new.len()).step_by(7).chain([new.len() - 1, new.len()]) {
        let _ = std::fs::remove_file(folder.path("dhcpd.leases"));
        folder.write("dhcpd.leases~", &old);
        folder.write("dhcpd.leases.tmp", &new[..cut]);
        let (stdout, stderr) = init_says(&folder);
        if cut == new.len() {
            assert_eq!(stdout, [line(11, ENDS), line(12, ENDS)].concat(), "{stderr}");
        } else {
            assert_eq!(stdout, line(11, ENDS), "{cut}: {stderr}");
        }
    }
}

#[test]
fn a_temporary_file_of_dhcpd_must_contain_the_addresses_of_the_backup() {
    let record = |last: u8| {
        format!(
            "lease 192.168.1.{last} {{\n  ends 2 2023/11/14 23:13:20;\n  binding state active;\n  hardware \
             ethernet 02:aa:00:00:00:{last:02x};\n  client-hostname \"pc\";\n}}\n"
        )
    };
    let (old, new) =
        ([record(11), record(12)].concat(), [record(11), record(12), record(13)].concat());
    let lines: Vec<String> = (11..=13).map(|last| line(last, "1700003600")).collect();
    // A file that is cut at the end of a record only lacks addresses.
    for (temporary, wanted) in [(&new[..], 3), (&record(11)[..], 2), (&new[..new.len() - 3], 2)] {
        let folder = JournalFolder::new();
        folder.write("dhcpd.leases~", &old);
        folder.write("dhcpd.leases.1795330000", temporary);
        folder.set_age("dhcpd.leases~", 60);
        let (stdout, stderr) = init_says(&folder);
        assert_eq!(stdout, lines[..wanted].concat(), "{stderr}");
    }
}

/// The names that logrotate and similar programs use. Such a file is older than `~`, even if its time stamp is newer.
#[test]
fn a_rotated_file_is_never_used_as_a_temporary_file() {
    for rotated in ["1", "2", "19", "20261120", "0000000001", "01795330000", "99999999999"] {
        let (folder, old) = with_lease();
        expect_success(&mut folder.add(12, ENDS));
        std::fs::rename(folder.path("dhcpd.leases"), folder.path("dhcpd.leases~")).expect("a file");
        let name = format!("dhcpd.leases.{rotated}");
        folder.write(&name, &old);
        folder.set_age("dhcpd.leases~", 60);
        let (stdout, stderr) = init_says(&folder);
        assert_eq!(stdout, [line(11, ENDS), line(12, ENDS)].concat(), "{rotated}: {stderr}");
        assert!(stderr.contains("dhcpd.leases~ replaces it"), "{rotated}: {stderr}");
        assert_eq!(folder.read(&name), old);
    }
}

#[test]
fn a_torn_temporary_file_alone_requires_manual_intervention() {
    let (folder, file) = with_lease();
    std::fs::remove_file(folder.path("dhcpd.leases")).expect("it was there");
    let record = &file[file.find("lease 1").expect("a lease")..];
    folder.write("dhcpd.leases.tmp", &[record, &record[..record.len() - 9]].concat());
    let before = folder.read("dhcpd.leases.tmp");
    let message = expect_failure(&mut folder.add(12, ENDS));
    assert!(message.contains("only dhcpd.leases.tmp is left, with 1 leases"), "{message}");
    assert_eq!(folder.names(), ["dhcpd.leases.tmp"]);
    assert_eq!(folder.read("dhcpd.leases.tmp"), before);
}

#[test]
fn a_torn_tail_is_cut_off_before_the_next_record() {
    let (folder, file) = with_lease();
    folder.write("dhcpd.leases", &format!("{file}lease 192.168.1.11 {{\n  ends 2 2023/1"));
    assert_eq!(folder.init(), line(11, ENDS));
    let stderr = expect_success(&mut folder.add(12, ENDS));
    assert!(stderr.contains("torn tail of 36 bytes"), "{stderr}");
    assert_eq!(folder.init(), [line(11, ENDS), line(12, ENDS)].concat());
    assert!(folder.read("dhcpd.leases").starts_with(&file));
}

#[test]
fn a_damaged_journal_is_kept_before_it_is_rewritten() {
    let (folder, file) = with_lease();
    let damaged = format!(
        "{file}\0\0\0\0 foo\nlease 192.168.1.12 {{ bogus; }}\n{}",
        &file[file.find("lease 1").expect("one")..]
    );
    folder.write("dhcpd.leases", &damaged);
    let stderr = expect_success(&mut folder.add(13, ENDS));
    assert!(stderr.contains("kept as dhcpd.leases.damaged"), "{stderr}");
    assert!(folder.read("dhcpd.leases.damaged").starts_with(&damaged));
    assert_eq!(folder.init(), [line(11, ENDS), line(13, ENDS)].concat());
    assert_eq!(expect_success(&mut folder.add(14, ENDS)), "");
}

/// Records of another program, which have no checksums.
#[test]
fn damage_costs_no_record_beside_it() {
    let record = |last: u8| {
        format!(
            "lease 192.168.1.{last} {{\n  ends 2 2023/11/14 23:13:20;\n  binding state active;\n  hardware ethernet \
             02:aa:00:00:00:{last:02x};\n  client-hostname \"pc\";\n}}\n"
        )
    };
    for torn in [
        "lease 192.168.1.12 {\n  ends 2 2023/1",
        "lease 192.168.1.12 {\n  client-hostname \"p",
        "\0\0",
        "}",
    ] {
        let folder = JournalFolder::new();
        folder.write("dhcpd.leases", &[&record(11), torn, &record(13)].concat());
        let (stdout, stderr) = init_says(&folder);
        assert_eq!(stdout, [line(11, ENDS), line(13, ENDS)].concat(), "{torn:?}: {stderr}");
        assert!(stderr.contains("damaged: from line 7"), "{torn:?}: {stderr}");
    }
    // A statement that cannot be read is left out, and an older record stays if one is torn.
    let folder = JournalFolder::new();
    let odd = record(11).replace("client-hostname", "client-bostname");
    folder.write("dhcpd.leases", &[&odd, &record(12), &record(12)[..40], &record(13)].concat());
    let (stdout, stderr) = init_says(&folder);
    let unnamed = line(11, ENDS).replace("pc", "*");
    assert_eq!(stdout, [unnamed, line(12, ENDS), line(13, ENDS)].concat(), "{stderr}");
    assert!(stderr.contains("damaged: from line 1"), "{stderr}");
}

/// `init` recovers exactly as a change does.
#[test]
fn init_restores_the_backup_of_an_unreadable_file() {
    for garbage in
        [&[0; 700][..], &[0xff; 700], b"\x89PNG\r\n\x1a\n", b"address,hwaddr\n10.0.0.1,02\n"]
    {
        let (folder, file) = with_lease();
        folder.write("dhcpd.leases~", &file);
        std::fs::write(folder.path("dhcpd.leases"), garbage).expect("space");
        let (stdout, stderr) = init_says(&folder);
        assert_eq!(stdout, line(11, ENDS));
        assert!(stderr.contains("dhcpd.leases~ replaces it"), "{stderr}");
        assert_eq!(std::fs::read(folder.path("dhcpd.leases.damaged")).expect("kept"), garbage);
    }
}

/// Files of other programs, of which not even `init` may make a database without a lease.
#[test]
fn init_reports_a_file_that_is_not_a_lease_database() {
    let dnsmasq = "1900007518 02:00:5e:00:00:2b 192.0.2.128 * 01:02:00:5e:00:00:2b\n";
    for foreign in [
        dnsmasq,
        "address,hwaddr,client_id\n",
        "root:x:0:0:root:/root:/bin/sh\n",
        "{}",
        "\0\0\0",
        "x",
    ] {
        let folder = JournalFolder::new();
        folder.write("dhcpd.leases", foreign);
        let (stdout, stderr) = init_says(&folder);
        assert_eq!(stdout, "");
        assert!(stderr.contains("contains no readable declaration"), "{foreign:?}: {stderr}");
        assert!(
            expect_failure(folder.command(&["init"]).env("LEASE_STRICT", "1"))
                .contains("dhcpd.leases")
        );
        assert!(expect_failure(&mut folder.add(12, ENDS)).contains("left unchanged"));
        assert_eq!(folder.read("dhcpd.leases"), foreign);
        assert_eq!(folder.names(), ["dhcpd.leases"]);
    }
}

/// What cannot be read may be the file with the leases.
#[test]
fn nothing_is_replaced_if_a_backup_cannot_be_read() {
    for live in [None, Some(""), Some("\0\0\0")] {
        let folder = JournalFolder::new();
        std::fs::create_dir(folder.path("dhcpd.leases~")).expect("a folder");
        if let Some(text) = live {
            folder.write("dhcpd.leases", text);
        }
        let before = folder.names();
        let message = expect_failure(&mut folder.add(12, ENDS));
        assert!(message.contains("dhcpd.leases~ cannot be read"), "{message}");
        let (stdout, stderr) = init_says(&folder);
        assert!(stdout.is_empty() && stderr.contains("cannot be read"), "{stderr}");
        expect_failure(folder.command(&["init"]).env("LEASE_STRICT", "1"));
        assert_eq!(folder.names(), before);
    }
}

/// An empty file gets a header before the first record, so that a torn first record does not look like another file.
#[test]
fn a_torn_first_record_does_not_block_the_journal() {
    for torn in ["lease 192.168.1.11 {\n  ends 2 2023/1", "lease 192.168.1.11 {\n"] {
        let folder = JournalFolder::new();
        folder.write("dhcpd.leases", torn);
        assert_eq!(folder.init(), "");
        expect_success(&mut folder.add(12, ENDS));
        assert_eq!(folder.init(), line(12, ENDS));
    }
    let folder = JournalFolder::new();
    folder.write("dhcpd.leases", "");
    expect_success(&mut folder.add(12, ENDS));
    assert!(folder.read("dhcpd.leases").contains("authoring-byte-order"));
}
