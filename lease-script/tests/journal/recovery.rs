//! Recovery of a live file that is missing, empty, torn or damaged.

use super::support::{Place, line, refused, run, said, text};

const ENDS: &str = "1700003600";

/// A journal with a lease, and its text.
fn with_lease() -> (Place, String) {
    let place = Place::new();
    said(&mut place.add(11, ENDS));
    let file = place.read("dhcpd.leases");
    (place, file)
}

fn init_says(place: &Place) -> (String, String) {
    let output = run(&mut place.command(&["init"]));
    assert!(output.status.success(), "{output:?}");
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_any_file_an_empty_database_is_created() {
    let place = Place::new();
    let (stdout, stderr) = init_says(&place);
    assert_eq!(stdout, "");
    assert!(
        stderr.contains("dhcpd.leases is missing") && stderr.contains("empty database"),
        "{stderr}"
    );
    assert_eq!(place.names(), ["dhcpd.leases"]);
    assert_eq!(init_says(&place), (String::new(), String::new()));
}

#[test]
fn the_backup_replaces_a_missing_or_empty_file() {
    for empty in [false, true] {
        let (place, file) = with_lease();
        place.write("dhcpd.leases~", &file);
        std::fs::remove_file(place.path("dhcpd.leases")).expect("it was there");
        if empty {
            place.write("dhcpd.leases", "");
        }
        let (stdout, stderr) = init_says(&place);
        assert_eq!(stdout, line(11, ENDS));
        assert!(stderr.contains("dhcpd.leases~ takes its place"), "{stderr}");
        assert_eq!(place.read("dhcpd.leases"), file);
        assert_eq!(place.names(), ["dhcpd.leases"]);
    }
}

#[test]
fn a_newer_temporary_file_is_used_only_if_it_is_complete() {
    let (place, old) = with_lease();
    said(place.add(12, ENDS).env("LEASE_REWRITE_SIZE", "100"));
    // The contents of the temporary file of the rewrite.
    let new = place.read("dhcpd.leases");
    for cut in (0..=new.len()).step_by(7).chain([new.len() - 1, new.len()]) {
        let _ = std::fs::remove_file(place.path("dhcpd.leases"));
        place.write("dhcpd.leases~", &old);
        place.write("dhcpd.leases.tmp", &new[..cut]);
        let (stdout, stderr) = init_says(&place);
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
        let place = Place::new();
        place.write("dhcpd.leases~", &old);
        place.write("dhcpd.leases.1795330000", temporary);
        place.set_age("dhcpd.leases~", 60);
        let (stdout, stderr) = init_says(&place);
        assert_eq!(stdout, lines[..wanted].concat(), "{stderr}");
    }
}

/// The names that logrotate and similar programs use. Such a file is older than `~`, even if its time stamp is newer.
#[test]
fn a_rotated_file_is_never_used_as_a_temporary_file() {
    for rotated in ["1", "2", "19", "20261120", "0000000001", "01795330000", "99999999999"] {
        let (place, old) = with_lease();
        said(&mut place.add(12, ENDS));
        std::fs::rename(place.path("dhcpd.leases"), place.path("dhcpd.leases~")).expect("a file");
        let name = format!("dhcpd.leases.{rotated}");
        place.write(&name, &old);
        place.set_age("dhcpd.leases~", 60);
        let (stdout, stderr) = init_says(&place);
        assert_eq!(stdout, [line(11, ENDS), line(12, ENDS)].concat(), "{rotated}: {stderr}");
        assert!(stderr.contains("dhcpd.leases~ takes its place"), "{rotated}: {stderr}");
        assert_eq!(place.read(&name), old);
    }
}

#[test]
fn a_torn_temporary_file_alone_requires_manual_intervention() {
    let (place, file) = with_lease();
    std::fs::remove_file(place.path("dhcpd.leases")).expect("it was there");
    let record = &file[file.find("lease 1").expect("a lease")..];
    place.write("dhcpd.leases.tmp", &[record, &record[..record.len() - 9]].concat());
    let before = place.read("dhcpd.leases.tmp");
    let complaint = refused(&mut place.add(12, ENDS));
    assert!(complaint.contains("only dhcpd.leases.tmp is left, with 1 leases"), "{complaint}");
    assert_eq!(place.names(), ["dhcpd.leases.tmp"]);
    assert_eq!(place.read("dhcpd.leases.tmp"), before);
}

#[test]
fn a_torn_tail_is_cut_off_before_the_next_record() {
    let (place, file) = with_lease();
    place.write("dhcpd.leases", &format!("{file}lease 192.168.1.11 {{\n  ends 2 2023/1"));
    assert_eq!(place.init(), line(11, ENDS));
    let stderr = said(&mut place.add(12, ENDS));
    assert!(stderr.contains("torn tail of 36 bytes"), "{stderr}");
    assert_eq!(place.init(), [line(11, ENDS), line(12, ENDS)].concat());
    assert!(place.read("dhcpd.leases").starts_with(&file));
}

#[test]
fn a_damaged_journal_is_kept_before_it_is_rewritten() {
    let (place, file) = with_lease();
    let damaged = format!(
        "{file}\0\0\0\0 foo\nlease 192.168.1.12 {{ bogus; }}\n{}",
        &file[file.find("lease 1").expect("one")..]
    );
    place.write("dhcpd.leases", &damaged);
    let stderr = said(&mut place.add(13, ENDS));
    assert!(stderr.contains("kept as dhcpd.leases.damaged"), "{stderr}");
    assert!(place.read("dhcpd.leases.damaged").starts_with(&damaged));
    assert_eq!(place.init(), [line(11, ENDS), line(13, ENDS)].concat());
    assert_eq!(said(&mut place.add(14, ENDS)), "");
}
