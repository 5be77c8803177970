//! Kea's memfile: the rows that the server loads, the files of a cleanup, and rewrites without a lost column.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lease_formats::dhcpd::{Date, Declared, Family, History};
use lease_formats::exchange::kea::{self, Memfile, Release, Role};
use lease_formats::exchange::{Losses, detect_format};
use rstest::rstest;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kea").join(name)
}

/// Returns the numbers of the rows that are discarded, counted from 1 without empty lines.
fn discarded(text: &[u8], release: Release) -> Vec<usize> {
    let mut memfile = Memfile::new(release, None);
    let report = memfile.load(text).expect("memory");
    let lines: Vec<u64> = report.read.problems.iter().map(|problem| problem.line).collect();
    let rows = text.split(|c| *c == b'\n').enumerate().skip(1).filter(|(_, line)| !line.is_empty());
    rows.enumerate()
        .filter(|(_, (line, _))| lines.contains(&(*line as u64 + 1)))
        .map(|(row, _)| row + 1)
        .collect()
}

fn numbers(text: &str) -> Vec<usize> {
    text.lines().map(|line| line.parse().expect("a number")).collect()
}

/// The numbers were recorded from the log of Kea 2.2.0 (`DHCPSRV_MEMFILE_LEASE_LOAD_ROW_ERROR`).
#[rstest]
fn the_rows_that_kea_2_2_discards_are_discarded(
    #[values("rows4", "old4", "new4", "rows6", "old6", "new6")] name: &str,
) {
    let text = fs::read(data(&format!("{name}.csv"))).expect("recorded");
    let wanted = fs::read_to_string(data(&format!("{name}.discarded"))).expect("recorded");
    assert_eq!(discarded(&text, Release::V2_2), numbers(&wanted));
}

/// Returns the row numbers in the log of a server that starts with the database.
fn discarded_by(server: &Path, family: &str, text: &[u8]) -> Vec<usize> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("leases.csv"), text).expect("room");
    let configuration = format!(
        r#"{{"{family}": {{"interfaces-config": {{"interfaces": []}}, "lease-database": {{"type": "memfile",
        "name": "{}", "lfc-interval": 0}}}}}}"#,
        path("leases.csv")
    );
    fs::write(path("kea.json"), configuration).expect("room");
    // The server reads the database when it starts, and then runs until it is stopped.
    let done = Command::new("timeout")
        .arg("10")
        .arg(server)
        .args(["-c", &path("kea.json")])
        .envs([("KEA_PIDFILE_DIR", folder.path()), ("KEA_LOCKFILE_DIR", folder.path())])
        .output()
        .expect("the server starts");
    // Without a configured logger, the log goes to stderr.
    let log = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(log.contains("DHCPSRV_MEMFILE_LEASE_FILE_LOAD"), "{log}");
    let rows = log.lines().filter_map(|line| line.split_once("discarding row "));
    rows.map(|(_, rest)| rest.split(',').next().and_then(|row| row.parse().ok()).expect("a number"))
        .collect()
}

/// Needs kea-dhcp4-server and kea-dhcp6-server of Debian 12. `ci/test --long` runs it.
#[rstest]
#[ignore = "needs Kea 2.2 and waits for its server to be stopped"]
fn kea_2_2_discards_the_rows_that_were_recorded(
    #[values("rows4", "old4", "new4", "rows6", "old6", "new6")] name: &str,
) {
    let (family, server) = if name.ends_with('4') {
        ("Dhcp4", "/usr/sbin/kea-dhcp4")
    } else {
        ("Dhcp6", "/usr/sbin/kea-dhcp6")
    };
    let text = fs::read(data(&format!("{name}.csv"))).expect("recorded");
    let by_server = discarded_by(Path::new(server), family, &text);
    assert_eq!(discarded(&text, Release::V2_2), by_server);
}

/// Kea 3.0 allows other lengths of client identifiers and DUIDs, and reads `pool_id`.
#[test]
fn the_rules_of_kea_3_differ_where_they_were_changed() {
    let header = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,\
                  fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n";
    let row = |duid: &str, state: &str, pool: &str| {
        format!("{header}fd00::1,{duid},60,1900000000,7,30,0,5,128,0,0,h,,{state},,1,0,{pool}\n")
    };
    for (duid, state, pool, kept) in [
        ("00:00:00", "0", "0", [true, false]),
        ("00:00:00", "1", "0", [true, true]),
        ("00", "0", "0", [false, false]),
        ("01:02", "0", "0", [true, false]),
        ("01:02:03", "4", "7", [true, true]),
        ("01:02:03", "0", "x", [true, false]),
    ] {
        let text = row(duid, state, pool);
        let found = [Release::V2_2, Release::V3_0]
            .map(|release| discarded(text.as_bytes(), release).is_empty());
        assert_eq!(found, kept, "{text}");
    }
}

const HEADER_4: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context";

/// Reads a database and writes it again.
fn rewritten(text: &str, family: Family) -> (String, Losses) {
    let read = kea::read(text.as_bytes()).expect("memory");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    let mut losses = Losses::default();
    let out = kea::write(&read.database, family, 1, 0, &mut losses);
    (String::from_utf8(out).expect("text"), losses)
}

#[rstest]
#[case::all_columns(
    "192.0.2.1,02:00:5e:00:00:01,01:02,3600,1900000000,7,1,1,a.example.org.,0,{ \"a\": 1 }"
)]
#[case::escaped(
    "192.0.2.1,02:00:5e:00:00:01,,3600,1900000000,7,0,0,a&#x2cb,0,{ \"a\": 1&#x2c \"b\": 2 }"
)]
#[case::declined("192.0.2.1,,,3600,1900000000,7,0,0,,1,")]
#[case::reclaimed("192.0.2.1,02:00:5e:00:00:01,,3600,1900000000,7,0,0,,2,")]
#[case::released("192.0.2.1,02:00:5e:00:00:01,,3600,1900000000,7,0,0,,3,")]
#[case::registered("192.0.2.1,02:00:5e:00:00:01,,3600,1900000000,7,0,0,,4,")]
#[case::infinite("192.0.2.1,02:00:5e:00:00:01,,4294967295,6194967295,7,0,0,,0,")]
#[case::after_2038("192.0.2.1,02:00:5e:00:00:01,,3600,2200000000,7,0,0,,0,")]
#[case::before_1970("192.0.2.1,02:00:5e:00:00:01,,3600,100,7,0,0,,0,")]
#[case::no_end("192.0.2.1,02:00:5e:00:00:01,,3600,0,7,0,0,,0,")]
fn a_row_of_dhcpv4_keeps_every_value(#[case] row: &str) {
    let text = format!("{HEADER_4}\n{row}\n");
    let (out, losses) = rewritten(&text, Family::V4);
    assert_eq!((out, losses.to_string()), (text, String::new()));
    // The last columns belong to later releases, or not to Kea at all.
    let text = format!("{HEADER_4},pool_id,colour\n{row},12,blue\n");
    let (out, losses) = rewritten(&text, Family::V4);
    assert_eq!((out, losses.to_string()), (text, String::new()));
}

#[rstest]
#[case::address("fd00::1,00:01:02,3600,1900000000,7,1800,0,5,128,1,0,h,,0,{ \"a\": 1 },,")]
#[case::hardware("fd00::1,00:01:02,3600,1900000000,7,1800,0,5,128,0,0,,02:00:5e:00:00:01,0,,1,0")]
#[case::source("fd00::1,00:01:02,3600,1900000000,7,9999,0,5,128,0,0,,02:00:5e:00:00:01,3,,6,2")]
#[case::no_hardware("fd00::1,00:01:02,3600,1900000000,7,1800,0,5,64,0,0,,zz,0,,65535,0")]
#[case::prefix("fd00::,00:01:02,3600,2200000000,7,1800,2,5,56,0,0,,,1,,,")]
#[case::temporary("fd00::1,00:01:02,4294967295,6194967295,7,4294967295,1,5,128,0,0,,,4,,,")]
fn a_row_of_dhcpv6_keeps_every_value(#[case] row: &str) {
    let header = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,\
                  fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source";
    let text = format!("{header}\n{row}\n");
    let (out, losses) = rewritten(&text, Family::V6);
    assert_eq!((out, losses.to_string()), (text, String::new()));
}

/// Every row that is written can be loaded. What cannot be loaded is a loss.
#[rstest]
#[case::of_one_byte("05", "0", None)]
#[case::of_two_bytes("00:03", "0", None)]
#[case::shortest("00:03:00", "0", Some("00:03:00"))]
#[case::empty("00:00:00", "1", Some("00:00:00"))]
#[case::empty_in_2_2("00", "1", Some("00:00:00"))]
fn a_duid_is_written_as_kea_3_loads_it(
    #[case] duid: &str,
    #[case] state: &str,
    #[case] wanted: Option<&str>,
) {
    let header = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,\
                  fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source";
    let row = |duid: &str| {
        format!("{header}\nfd00::1,{duid},3600,1900000000,7,1800,0,5,128,0,0,,,{state},,,\n")
    };
    let mut memfile = Memfile::new(Release::V2_2, None);
    memfile.load(row(duid).as_bytes()).expect("memory");
    let mut losses = Losses::default();
    let out = kea::write(&memfile.database(), Family::V6, 1, 0, &mut losses);
    let text = String::from_utf8(out.clone()).expect("text");
    assert_eq!(text, wanted.map_or(format!("{header}\n"), row));
    assert_eq!(losses.is_empty(), wanted.is_some());
    assert!(discarded(&out, Release::V3_0).is_empty());
}

#[test]
fn rows_under_an_older_header_get_the_columns_of_the_newer_one() {
    let header =
        "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname";
    let row = "192.0.2.1,02:00:5e:00:00:01,,300,1900000000,8,1,1,one";
    let (out, _) = rewritten(&format!("{header}\n{row}\n"), Family::V4);
    assert_eq!(out, format!("{HEADER_4}\n{row},0,\n"));
    let (out, _) = rewritten(&format!("{header}\n{row},2,{{ \"room\": 1 }},9\n"), Family::V4);
    assert_eq!(out, format!("{HEADER_4},pool_id\n{row},2,{{ \"room\": 1 }},9\n"));
}

#[test]
fn a_row_with_a_lifetime_of_0_removes_a_lease_of_an_earlier_file() {
    let row = |host: u8, valid: u32| {
        format!("{HEADER_4}\n192.0.2.{host},02:00:5e:00:00:01,,{valid},1900000000,7,0,0,,0,\n")
    };
    let mut memfile = Memfile::new(Release::V3_0, Some(History::All));
    let mut history = Vec::new();
    for text in [row(1, 60), row(2, 60), row(1, 0)] {
        history.extend(memfile.load(text.as_bytes()).expect("memory").history);
    }
    let leases = memfile.database().leases;
    assert_eq!(leases.iter().map(|lease| lease.address.octets()[3]).collect::<Vec<_>>(), [2]);
    let states = history.iter().map(|record| match &record.declaration.what {
        Declared::Lease(lease) => (lease.address.octets()[3], lease.state.name(), lease.ends),
        other => panic!("{other:?}"),
    });
    let end = Date(1_900_000_000);
    let wanted = [(1, "active", end), (2, "active", end), (1, "released", end)];
    assert_eq!(states.collect::<Vec<_>>(), wanted);
}

/// The order is that of `Memfile_LeaseMgr::loadLeasesFromFiles` of Kea.
#[rstest]
#[case::no_cleanup(&["k.csv"], &["k.csv"])]
#[case::renamed(&["k.csv.1", "k.csv.2"], &["k.csv.2", "k.csv.1"])]
#[case::in_a_cleanup(&["k.csv", "k.csv.1", "k.csv.2", "k.csv.output"], &["k.csv.2", "k.csv.1", "k.csv"])]
#[case::completed(&["k.csv", "k.csv.1", "k.csv.2", "k.csv.completed"], &["k.csv.completed", "k.csv"])]
#[case::after_a_cleanup(&["k.csv", "k.csv.2"], &["k.csv.2", "k.csv"])]
fn the_files_of_a_cleanup_are_read_in_the_order_of_the_server(
    #[case] there: &[&str],
    #[case] wanted: &[&str],
) {
    let exists = |name: &OsStr| there.iter().any(|known| *known == name);
    let found = kea::siblings(OsStr::new("k.csv"), exists);
    assert_eq!(found, wanted.iter().map(OsString::from).collect::<Vec<_>>());
    for name in there {
        assert_eq!(kea::stem(OsStr::new(name)).0, "k.csv");
    }
    assert_eq!(kea::stem(OsStr::new("k.csv.output")).1, Role::Output);
}

#[test]
fn a_file_with_other_columns_is_refused() {
    for (text, refused) in [("address,hwaddr\n", true), ("address,duid,x\n", true)] {
        detect_format(text.as_bytes());
        let mut memfile = Memfile::default();
        memfile.load(text.as_bytes()).expect("memory");
        assert_eq!(memfile.is_refused(), refused, "{text}");
    }
}
