//! `LEASE_SLACK`, and arithmetic on times.

use rstest::rstest;

use crate::support::Implementation::{Ash, Bash, Dash, Executable, Library};
use crate::support::{FreeSpaceReport, Implementation, Session, SimpleTool, lease};

/// The stored time (empty for none), the slack, the reported time, and the time stored after the call.
const TABLE: &[(&str, &str, &str, &str)] = &[
    // Exact without slack.
    ("", "0", "1700000000", "1700000000"),
    ("1700000000", "0", "1700000001", "1700000001"),
    ("1700000001", "", "1700000000", "1700000000"),
    // A new record gets the full slack.
    ("", "900", "1700000000", "1700000900"),
    // The limits of [stored - slack, stored].
    ("1700000900", "900", "1699999999", "1700000899"),
    ("1700000900", "900", "1700000000", "1700000900"),
    ("1700000900", "900", "1700000001", "1700000900"),
    ("1700000900", "900", "1700000899", "1700000900"),
    // After a restart dnsmasq reports what was stored.
    ("1700000900", "900", "1700000900", "1700000900"),
    ("1700000900", "900", "1700000901", "1700001801"),
    // Infinite leases have no slack, and no sum becomes infinite.
    ("", "900", "0", "0"),
    ("0", "900", "0", "0"),
    ("0", "900", "1700000000", "1700000900"),
    ("1700000900", "900", "0", "0"),
    ("5", "900", "0", "0"),
    // A length stored by a build with HAVE_BROKEN_RTC.
    ("3600", "900", "1700000000", "1700000900"),
    // Carries, and small and large numbers.
    ("", "1", "99999", "100000"),
    ("", "99999", "1", "100000"),
    ("", "1", "9", "10"),
    ("", "900", "1", "901"),
    ("", "100000", "1700099999", "1700199999"),
    ("", "99999", "1699999999", "1700099998"),
    ("", "2147483648", "2147483648", "4294967296"),
    ("4294967296", "2147483648", "2147483648", "4294967296"),
    ("4294967296", "2147483648", "2147483647", "4294967295"),
    ("", "1", "4294967295", "4294967296"),
    ("", "1", "9999999998", "9999999999"),
    ("", "9999999999", "9999999999", "9999999999"),
    ("", "9999999999", "1", "9999999999"),
    ("9999999999", "9999999999", "1700000000", "9999999999"),
    ("100", "9999999999", "100", "100"),
    ("100", "9999999999", "101", "9999999999"),
];

#[rstest]
fn the_stored_time_stays_within_the_slack(
    #[values(Library, Executable, Ash, Dash, Bash)] on: Implementation,
) {
    for (stored, slack, reported, after) in TABLE {
        let mut s = Session::new(on, SimpleTool::new(FreeSpaceReport::Show, 5000));
        if !stored.is_empty() {
            s.call(lease("add", 1, "name", stored));
        }
        let before = s.flash_ops();
        s.call(lease("old", 1, "name", reported).with("LEASE_SLACK", slack));
        let expected = format!("{after} 02:aa:00:00:00:01 192.168.1.1 name *");
        let context = format!("{stored} + {slack}, reported {reported}");
        assert_eq!(s.ram()[0].1.escape_ascii().to_string(), expected, "{context}");
        assert_eq!(s.flash_ops() - before, usize::from(stored != after), "{context}");
        // With another name, within the slack: the time stays.
        s.call(lease("old", 1, "other", reported).with("LEASE_SLACK", slack));
        let expected = format!("{after} 02:aa:00:00:00:01 192.168.1.1 other *");
        assert_eq!(s.ram()[0].1.escape_ascii().to_string(), expected, "{context}, renamed");
    }
}

/// The table in README.md: twenty clients for a week with leases of one hour, renewed every half hour.
#[rstest]
#[case("0", 6740)]
#[case("1800", 3380)]
#[case("3600", 2260)]
#[case("21600", 520)]
#[case("86400", 140)]
fn slack_saves_commits(#[case] slack: &str, #[case] commits: usize) {
    let mut s = Session::new(Library, SimpleTool::new(FreeSpaceReport::Show, 5000));
    let seconds: u64 = slack.parse().expect("a number");
    for renewal in 0..=7 * 48_u64 {
        let expiry = 1_700_003_600 + renewal * 1800;
        for client in 1..=20 {
            let call = lease("old", client, "name", &expiry.to_string()).with("LEASE_SLACK", slack);
            assert_eq!(s.call_without_transcript(&call).exit, 0);
        }
        for (_, record) in s.ram() {
            let time = record.split(|c| *c == b' ').next().expect("a time");
            let kept: u64 = std::str::from_utf8(time).expect("digits").parse().expect("a number");
            assert!((expiry..=expiry + seconds).contains(&kept), "{expiry}: {kept}");
        }
    }
    assert_eq!(s.flash_ops(), commits);
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&format!("| {slack} | {commits} |")),
        "README.md has other numbers than this test"
    );
}
