//! Stored leases are printed again, and unchanged leases are not written.

use super::support::{Place, line, refused, run, said, text};

#[test]
fn leases_of_all_kinds_are_printed_in_dnsmasqs_order() {
    let place = Place::new();
    said(&mut place.command(&["init"]));
    said(place.add(11, "1700003600").env("DNSMASQ_CLIENT_ID", "01:02:aa"));
    said(&mut place.add(10, "0"));
    said(&mut place.add(12, "9999999999"));
    said(
        place
            .command(&["add", "00:03:00:01:02:aa", "fd77::2", "q\"t\\\u{e9}"])
            .env("DNSMASQ_IAID", "T77")
            .env("DNSMASQ_SERVER_DUID", "00:01:00:01:2c:e6")
            .env("DNSMASQ_LEASE_EXPIRES", "1700003600"),
    );
    let wanted = [
        &line(10, "0")[..],
        "1700003600 02:aa:00:00:00:0b 192.168.1.11 pc 01:02:aa\n",
        &line(12, "9999999999"),
        "duid 00:01:00:01:2c:e6\n",
        "1700003600 T77 fd77::2 q\"t\\\u{e9} 00:03:00:01:02:aa\n",
    ];
    assert_eq!(place.init(), wanted.concat());
    assert_eq!(place.names(), ["dhcpd.leases", "dhcpd6.leases"]);
}

#[test]
fn lengths_stay_lengths() {
    let place = Place::new();
    let mut add = place.command(&["add", "02:aa:00:00:00:0b", "192.168.1.11", "pc"]);
    said(add.env("DNSMASQ_LEASE_LENGTH", "3600"));
    assert_eq!(place.init(), line(11, "3600"));
    // No end is written.
    let file = place.read("dhcpd.leases");
    assert!(file.contains("set dnsmasq-length = \"3600\";") && !file.contains("ends"), "{file}");
}

#[test]
fn an_unchanged_lease_is_not_written_again() {
    let place = Place::new();
    said(&mut place.add(11, "1700003600"));
    let before = place.read("dhcpd.leases");
    assert_eq!(said(&mut place.add(11, "1700003600")), "");
    said(place.add(11, "1700003500").env("LEASE_SLACK", "100"));
    said(&mut place.command(&["del", "02:aa:00:00:00:0c", "192.168.1.12"]));
    said(&mut place.command(&["arp-add", "02:aa:00:00:00:0c", "192.168.1.12"]));
    place.init();
    assert_eq!(place.read("dhcpd.leases"), before);
}

#[test]
fn leases_are_removed_and_addresses_get_new_clients() {
    let place = Place::new();
    said(&mut place.add(11, "1700003600"));
    said(&mut place.command(&["del", "02:aa:00:00:00:0b", "192.168.1.11"]));
    assert_eq!(place.init(), "");
    let v6 = |duid: &str, iaid: &str, address: &str| {
        let mut command = place.command(&["add", duid, address]);
        command.env("DNSMASQ_IAID", iaid).env("DNSMASQ_LEASE_EXPIRES", "1700003600");
        said(&mut command);
    };
    v6("00:03:00:01", "1", "fd77::1");
    v6("00:03:00:01", "1", "fd77::2");
    v6("00:03:00:02", "2", "fd77::1");
    let first = "1700003600 2 fd77::1 * 00:03:00:02\n";
    let second = "1700003600 1 fd77::2 * 00:03:00:01\n";
    assert_eq!(place.init(), [first, second].concat());
    said(&mut place.command(&["del", "00:03:00:01", "fd77::2"]));
    assert_eq!(place.init(), first);
}

#[test]
fn a_growing_journal_is_rewritten_with_the_same_leases() {
    let place = Place::new();
    for turn in 0..40 {
        let ends = (1_700_000_000 + turn).to_string();
        said(place.add(11, &ends).env("LEASE_REWRITE_SIZE", "1000"));
        assert_eq!(place.init(), line(11, &ends));
    }
    let length = place.read("dhcpd.leases").len();
    assert!(length < 1400, "{length}");
    assert_eq!(place.names(), ["dhcpd.leases", "dhcpd.leases~"]);
}

#[test]
fn a_journal_with_an_old_or_future_rewrite_is_rewritten_by_the_next_change() {
    let place = Place::new();
    let generation = || {
        let file = place.read("dhcpd.leases");
        let mark = file.split("# end of rewrite ").nth(1).expect("a mark").to_owned();
        let (number, rest) = mark.split_once(" at ").expect("a time");
        (number.to_owned(), rest.split(',').next().expect("a comma").to_owned())
    };
    let made_at = |time: &str| {
        let now = generation().1;
        assert_eq!(now.len(), time.len());
        place.write("dhcpd.leases", &place.read("dhcpd.leases").replace(&now, time));
    };
    said(place.add(11, "1700003600").env("LEASE_REWRITE_AGE", "86400"));
    said(place.add(12, "1700003600").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "1");
    made_at("1700000000");
    said(place.add(12, "1700003601").env("LEASE_REWRITE_AGE", "0"));
    assert_eq!(generation().0, "1");
    said(place.add(12, "1700003602").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "2");
    made_at("4100000000");
    // A call without a change does not rewrite.
    said(place.add(12, "1700003602").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "2");
    said(place.add(12, "1700003603").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "3");
    assert_eq!(place.init(), [line(11, "1700003600"), line(12, "1700003603")].concat());
}

#[test]
fn a_rewrite_keeps_the_declarations_of_other_programs() {
    let place = Place::new();
    let foreign = "authoring-byte-order little-endian;\nhost printer {\n  dynamic;\n}\nfailover peer \"a\" \
                   state {\n  my state normal at 4 2026/11/20 01:00:00;\n}\nserver-duid \"abcd\";\n";
    place.write("dhcpd.leases", foreign);
    for last in [11, 12] {
        said(place.add(last, "1700003600").env("LEASE_REWRITE_SIZE", "100"));
    }
    let file = place.read("dhcpd.leases");
    for there in [
        "end of rewrite",
        "host printer { dynamic; }\n",
        "failover peer \"a\" state { my state normal at 4 2026/11/20 01:00:00; }\n",
        "server-duid \"abcd\";\n",
        "lease 192.168.1.11",
        "lease 192.168.1.12",
    ] {
        assert!(file.contains(there), "{there}\n{file}");
    }
}

#[test]
fn the_longest_lasting_leases_are_printed_when_there_are_too_many() {
    let place = Place::new();
    for (last, ends) in [(10, "1700000003"), (11, "0"), (12, "1700000001")] {
        said(&mut place.add(last, ends));
    }
    let output = run(place.command(&["init"]).env("LEASE_MAX", "2"));
    assert_eq!(text(&output.stdout), [line(10, "1700000003"), line(11, "0")].concat());
    assert_eq!(text(&output.stderr), "lease-update: LEASE_MAX=2: 1 leases left out\n");
}

#[test]
fn the_shell_script_refuses_a_journal_in_one_line() {
    let place = Place::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/lease_update.sh");
    let mut command = std::process::Command::new("sh");
    command.args([script, "init"]).env("LEASE_STORE", "journal:/nowhere/dhcpd.leases");
    assert!(refused(&mut command).contains("LEASE_STORE"));
    assert!(place.names().is_empty());
}
