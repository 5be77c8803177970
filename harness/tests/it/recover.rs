//! `leaselab leases recover`: which file replaces a lease journal that is missing, empty or damaged.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use assert_cmd::Command;
use rstest::rstest;

/// An active record of dhcpd.
fn lease(last: u8) -> String {
    format!(
        "lease 192.168.1.{last} {{\n  starts 2 2023/11/14 22:13:20;\n  ends 2 2033/11/14 23:13:20;\n  binding state \
         active;\n  hardware ethernet 02:aa:00:00:00:{last:02x};\n}}\n"
    )
}

fn leases(lasts: &[u8]) -> String {
    lasts.iter().map(|last| lease(*last)).collect()
}

/// A text without its last bytes.
fn torn(text: &str) -> String {
    text[..text.len() - 3].to_owned()
}

/// Name, contents and modification time of a file; the time is in seconds after a fixed date.
type Written<'a> = (&'a str, String, u64);

fn folder(files: &[Written<'_>]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text, at) in files {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("room");
        let file = File::options().append(true).open(&path).expect("just written");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000 + at)).expect("settable");
    }
    folder
}

/// Names and contents of all files except locks, by name.
fn found(folder: &Path) -> Vec<(String, String)> {
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable"))
        .map(|entry| (name(&entry), fs::read_to_string(entry.path()).unwrap_or_default()))
        .filter(|(name, _)| Path::new(name).extension().is_none_or(|extension| extension != "lock"))
        .collect();
    files.sort();
    files
}

/// Exit code, standard output, standard error.
fn recover(path: &Path, dry: bool) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaselab"));
    command.args(["leases", "recover"]).arg(path).args(dry.then_some("--dry-run"));
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

#[rstest]
#[case::backup_only(&[("dhcpd.leases~", leases(&[11]), 0)], "dhcpd.leases~")]
#[case::newer_whole_temporary(
    &[("dhcpd.leases~", leases(&[11]), 0), ("dhcpd.leases.1700000001", leases(&[11, 12]), 1)],
    "dhcpd.leases.1700000001"
)]
#[case::older_whole_temporary(
    &[("dhcpd.leases~", leases(&[11, 12]), 2), ("dhcpd.leases.1700000001", leases(&[11, 12]), 1)],
    "dhcpd.leases~"
)]
#[case::torn_temporary(
    &[("dhcpd.leases~", leases(&[11]), 0), ("dhcpd.leases.1700000001", torn(&leases(&[11, 12])), 1)],
    "dhcpd.leases~"
)]
#[case::temporary_cut_between_records(
    &[("dhcpd.leases~", leases(&[11, 12]), 0), ("dhcpd.leases.1700000001", leases(&[11]), 1)],
    "dhcpd.leases~"
)]
#[case::temporary_only(&[("dhcpd.leases.1700000001", leases(&[11]), 0)], "dhcpd.leases.1700000001")]
#[case::of_v6(&[("dhcpd6.leases~", "server-duid \"\\000\\001ab\";\n".to_owned(), 0)], "dhcpd6.leases~")]
#[case::empty_file(
    &[("dhcpd.leases", String::new(), 9), ("dhcpd.leases~", leases(&[11]), 0)],
    "dhcpd.leases~"
)]
fn a_candidate_replaces_the_live_file(#[case] files: &[Written<'_>], #[case] taken: &str) {
    let folder = folder(files);
    let live = taken.split_at(taken.find(".leases").expect("a journal") + ".leases".len()).0;
    let wanted = fs::read_to_string(folder.path().join(taken)).expect("there");
    let before = found(folder.path());
    let message = format!("{taken} replaces it");

    let (code, stdout, _) = recover(folder.path(), true);
    assert!(code == 0 && stdout.contains(&message), "{code}: {stdout}");
    assert_eq!(found(folder.path()), before, "a dry run changes nothing");

    let (code, _, stderr) = recover(folder.path(), false);
    assert!(code == 0 && stderr.contains(&message), "{code}: {stderr}");
    assert_eq!(fs::read_to_string(folder.path().join(live)).expect("restored"), wanted);

    let (code, stdout, _) = recover(folder.path(), true);
    assert!(code == 0 && stdout.contains("is valid: nothing to do"), "{code}: {stdout}");
}

/// Nothing is created where there is no lease database of dhcpd.
#[rstest]
#[case::empty(&[])]
#[case::of_kea(&[
    ("kea-leases4.csv", "address,hwaddr,client_id,valid_lifetime\n".to_owned(), 0),
    ("kea-leases4.csv.2", String::new(), 0),
])]
#[case::of_dnsmasq(&[("dnsmasq.leases", "1700003600 02:aa:00:00:00:01 192.168.1.1 pc *\n".to_owned(), 0)])]
#[case::other_files(&[("dhcpd.conf", "subnet 192.168.1.0 netmask 255.255.255.0 {\n}\n".to_owned(), 0)])]
fn a_folder_without_a_lease_database_of_dhcpd_is_refused(#[case] files: &[Written<'_>]) {
    let folder = folder(files);
    let before = found(folder.path());
    for path in [folder.path().to_owned(), folder.path().join("dhcpd.leases")] {
        for dry in [true, false] {
            let (code, _, stderr) = recover(&path, dry);
            assert!(
                code == 2 && stderr.contains("not a lease database of dhcpd"),
                "{code}: {stderr}"
            );
        }
    }
    assert_eq!(found(folder.path()), before);
    let all = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(all, before.len(), "no lock file");
}

/// It may be the file with the leases.
#[test]
fn nothing_is_created_beside_a_file_that_cannot_be_read() {
    let folder = folder(&[("dhcpd.leases.1700000001", torn("lease 1"), 0)]);
    fs::create_dir(folder.path().join("dhcpd.leases~")).expect("room");
    let before = found(folder.path());
    let (code, _, stderr) = recover(folder.path(), false);
    let message = "left unchanged, since dhcpd.leases~ cannot be read: not a regular file";
    assert!(code == 1 && stderr.contains(message), "{code}: {stderr}");
    assert_eq!(found(folder.path()), before);
}

#[test]
fn journals_of_v4_and_v6_in_one_folder_are_recovered() {
    let v6 = "server-duid \"\\000\\001ab\";\n".to_owned();
    let folder = folder(&[("dhcpd.leases~", leases(&[11]), 0), ("dhcpd6.leases~", v6.clone(), 0)]);
    assert_eq!(recover(folder.path(), false).0, 0);
    let wanted = [("dhcpd.leases".to_owned(), leases(&[11])), ("dhcpd6.leases".to_owned(), v6)];
    assert_eq!(found(folder.path()), wanted);
}

#[test]
fn an_unreadable_file_is_kept_beside_the_restored_one() {
    let garbage = "no journal at all\n".to_owned();
    let folder =
        folder(&[("dhcpd.leases", garbage.clone(), 9), ("dhcpd.leases~", leases(&[11]), 0)]);
    let (code, _, stderr) = recover(folder.path(), false);
    assert!(code == 0 && stderr.contains("contains no readable declaration"), "{stderr}");
    let wanted =
        [("dhcpd.leases".to_owned(), leases(&[11])), ("dhcpd.leases.damaged".to_owned(), garbage)];
    assert_eq!(found(folder.path()), wanted);
}

#[rstest]
#[case::only_a_torn_temporary(("dhcpd.leases.1700000001", torn(&leases(&[11, 12])), 0), "only dhcpd.leases.1700000001 is left")]
#[case::only_garbage(("dhcpd.leases", "no journal at all\n".to_owned(), 0), "left unchanged")]
fn a_case_that_needs_manual_intervention_is_left_alone(
    #[case] file: Written<'_>,
    #[case] message: &str,
) {
    let folder = folder(&[file]);
    let before = found(folder.path());
    for dry in [true, false] {
        let (code, stdout, stderr) = recover(folder.path(), dry);
        assert_eq!(code, 1);
        assert!([stdout, stderr].concat().contains(message));
        assert_eq!(found(folder.path()), before);
    }
}

#[test]
fn a_torn_tail_of_the_live_file_is_reported_and_left() {
    let text = [leases(&[11]), "lease 192.1".to_owned()].concat();
    let folder = folder(&[("dhcpd.leases", text.clone(), 0)]);
    let (code, _, stderr) = recover(folder.path(), false);
    assert!(code == 0 && stderr.contains("its last 11 bytes are a torn record"), "{stderr}");
    assert_eq!(found(folder.path()), [("dhcpd.leases".to_owned(), text)]);
}

#[test]
fn neither_a_mistyped_folder_nor_a_folder_named_as_a_journal_gets_a_database() {
    let folder = folder(&[]);
    let (code, _, stderr) = recover(&folder.path().join("dhpc"), false);
    assert!(code == 2 && stderr.contains("not a lease database of dhcpd"), "{code}: {stderr}");
    let (code, _, stderr) = recover(&folder.path().join("dhpc/dhcpd.leases"), false);
    assert!(code == 2 && stderr.contains("No such file or directory"), "{code}: {stderr}");
    assert_eq!(found(folder.path()), []);
    fs::create_dir(folder.path().join("dhcpd.leases")).expect("room");
    let (code, _, stderr) = recover(folder.path(), false);
    assert!(code == 2 && stderr.contains("not a regular file"), "{code}: {stderr}");
}

#[test]
fn a_backup_with_a_torn_end_is_reported_as_torn() {
    let text = leases(&[50, 51]);
    let folder = folder(&[("dhcpd.leases~", torn(&text), 0)]);
    let (code, _, said) = recover(folder.path(), false);
    let half = lease(51).len() - 3;
    assert!(said.contains(&format!("its last {half} bytes are a torn record")), "{said}");
    assert_eq!((code, found(folder.path())), (0, vec![("dhcpd.leases".to_owned(), torn(&text))]));
}
