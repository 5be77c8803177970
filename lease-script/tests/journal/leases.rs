//! Stored leases are printed again, and unchanged leases are not written.

use super::support::{JournalFolder, expect_failure, expect_success, line, run, text};

#[test]
fn leases_of_all_kinds_are_printed_in_dnsmasqs_order() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.command(&["init"]));
    expect_success(folder.add(11, "1700003600").env("DNSMASQ_CLIENT_ID", "01:02:aa"));
    expect_success(&mut folder.add(10, "0"));
    expect_success(&mut folder.add(12, "9999999999"));
    expect_success(
        folder
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
    assert_eq!(folder.init(), wanted.concat());
    assert_eq!(folder.names(), ["dhcpd.leases", "dhcpd6.leases"]);
}

#[test]
fn a_lease_length_is_stored_as_a_length() {
    let folder = JournalFolder::new();
    let mut add = folder.command(&["add", "02:aa:00:00:00:0b", "192.168.1.11", "pc"]);
    expect_success(add.env("DNSMASQ_LEASE_LENGTH", "3600"));
    assert_eq!(folder.init(), line(11, "3600"));
    // No end is written.
    let file = folder.read("dhcpd.leases");
    assert!(file.contains("set dnsmasq-length = \"3600\";") && !file.contains("ends"), "{file}");
}

#[test]
fn an_unchanged_lease_is_not_written_again() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, "1700003600"));
    let before = folder.read("dhcpd.leases");
    assert_eq!(expect_success(&mut folder.add(11, "1700003600")), "");
    expect_success(folder.add(11, "1700003500").env("LEASE_SLACK", "100"));
    expect_success(&mut folder.command(&["del", "02:aa:00:00:00:0c", "192.168.1.12"]));
    expect_success(&mut folder.command(&["arp-add", "02:aa:00:00:00:0c", "192.168.1.12"]));
    folder.init();
    assert_eq!(folder.read("dhcpd.leases"), before);
}

#[test]
fn leases_are_removed_and_their_addresses_leased_to_other_clients() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.add(11, "1700003600"));
    expect_success(&mut folder.command(&["del", "02:aa:00:00:00:0b", "192.168.1.11"]));
    assert_eq!(folder.init(), "");
    let v6 = |duid: &str, iaid: &str, address: &str| {
        let mut command = folder.command(&["add", duid, address]);
        command.env("DNSMASQ_IAID", iaid).env("DNSMASQ_LEASE_EXPIRES", "1700003600");
        expect_success(&mut command);
    };
    v6("00:03:00:01", "1", "fd77::1");
    v6("00:03:00:01", "1", "fd77::2");
    v6("00:03:00:02", "2", "fd77::1");
    let first = "1700003600 2 fd77::1 * 00:03:00:02\n";
    let second = "1700003600 1 fd77::2 * 00:03:00:01\n";
    assert_eq!(folder.init(), [first, second].concat());
    expect_success(&mut folder.command(&["del", "00:03:00:01", "fd77::2"]));
    assert_eq!(folder.init(), first);
}

#[test]
fn a_growing_journal_is_rewritten_with_the_same_leases() {
    let folder = JournalFolder::new();
    for turn in 0..40 {
        let ends = (1_700_000_000 + turn).to_string();
        expect_success(folder.add(11, &ends).env("LEASE_REWRITE_SIZE", "1000"));
        assert_eq!(folder.init(), line(11, &ends));
    }
    let length = folder.read("dhcpd.leases").len();
    assert!(length < 1400, "{length}");
    assert_eq!(folder.names(), ["dhcpd.leases", "dhcpd.leases~"]);
}

#[test]
fn a_journal_with_an_old_or_future_rewrite_is_rewritten_by_the_next_change() {
    let folder = JournalFolder::new();
    let generation = || {
        let file = folder.read("dhcpd.leases");
        let mark = file.split("# end of rewrite ").nth(1).expect("a mark").to_owned();
        let (number, rest) = mark.split_once(" at ").expect("a time");
        (number.to_owned(), rest.split(',').next().expect("a comma").to_owned())
    };
    let set_time = |time: &str| {
        let now = generation().1;
        assert_eq!(now.len(), time.len());
        folder.write("dhcpd.leases", &folder.read("dhcpd.leases").replace(&now, time));
    };
    expect_success(folder.add(11, "1700003600").env("LEASE_REWRITE_AGE", "86400"));
    expect_success(folder.add(12, "1700003600").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "1");
    set_time("1700000000");
    expect_success(folder.add(12, "1700003601").env("LEASE_REWRITE_AGE", "0"));
    assert_eq!(generation().0, "1");
    expect_success(folder.add(12, "1700003602").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "2");
    set_time("4100000000");
    // A call without a change does not rewrite.
    expect_success(folder.add(12, "1700003602").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "2");
    expect_success(folder.add(12, "1700003603").env("LEASE_REWRITE_AGE", "86400"));
    assert_eq!(generation().0, "3");
    assert_eq!(folder.init(), [line(11, "1700003600"), line(12, "1700003603")].concat());
}

#[test]
fn a_rewrite_keeps_the_declarations_of_other_programs() {
    let folder = JournalFolder::new();
    let foreign = "authoring-byte-order little-endian;\nhost printer {\n  dynamic;\n}\nfailover peer \"a\" \
                   state {\n  my state normal at 4 2026/11/20 01:00:00;\n}\nserver-duid \"abcd\";\n";
    folder.write("dhcpd.leases", foreign);
    for last in [11, 12] {
        expect_success(folder.add(last, "1700003600").env("LEASE_REWRITE_SIZE", "100"));
    }
    let file = folder.read("dhcpd.leases");
    for there in [
        "end of rewrite",
        "host printer {\n  dynamic;\n}\n",
        "failover peer \"a\" state {\n  my state normal at 4 2026/11/20 01:00:00;\n}\n",
        "server-duid \"abcd\";\n",
        "lease 192.168.1.11",
        "lease 192.168.1.12",
    ] {
        assert!(file.contains(there), "{there}\n{file}");
    }
}

#[test]
fn a_rewrite_keeps_the_statements_of_other_programs() {
    let folder = JournalFolder::new();
    let statements = "  starts 2 2023/11/14 22:13:20;\n  ends 2 2023/11/14 23:13:20;\n  binding state active;\n  hardware \
                      ethernet 02:aa:00:00:00:0b;\n  client-hostname \"pc\";\n  option agent.circuit-id \"a;b}\";\n  set \
                      vendor = 1:2:3;\n  billing class \"c\";\n  on expiry {\n    set x = \"#\";\n  }\n";
    folder.write(
        "dhcpd.leases",
        &format!("lease 192.168.1.11 {{\n  # a comment }}\n{statements}}}\n"),
    );
    assert_eq!(folder.init(), line(11, "1700003600"));
    expect_success(folder.add(12, "1700003600").env("LEASE_REWRITE_SIZE", "100"));
    let file = folder.read("dhcpd.leases");
    assert!(file.contains(&format!("lease 192.168.1.11 {{\n{statements}}}\n")), "{file}");
    assert!(file.contains("end of rewrite") && !file.contains("a comment"), "{file}");
}

/// Records of this program are little-endian, so that the first of them replaces the file.
#[test]
fn a_big_endian_journal_keeps_its_identifiers() {
    let folder = JournalFolder::new();
    let ia = "ia-na \"\\000\\000\\000\\007\\000\\003\\000\\001\" {\n  iaaddr fd77::1 {\n    binding state \
              active;\n    ends never;\n  }\n}\n";
    folder.write("dhcpd6.leases", &format!("authoring-byte-order big-endian;\n{ia}"));
    let first = "0 7 fd77::1 * 00:03:00:01\n";
    assert_eq!(folder.init(), first);
    let mut add = folder.command(&["add", "00:03:00:02", "fd77::2"]);
    expect_success(add.env("DNSMASQ_IAID", "8").env("DNSMASQ_LEASE_EXPIRES", "0"));
    assert_eq!(folder.init(), [first, "0 8 fd77::2 * 00:03:00:02\n"].concat());
    assert!(folder.read("dhcpd6.leases").contains("authoring-byte-order little-endian;"));
}

/// A delegated prefix is not a lease of its first address.
#[test]
fn a_lease_of_the_first_address_of_a_prefix_keeps_the_prefix() {
    let folder = JournalFolder::new();
    let association = "ia-pd \"\\007\\000\\000\\000\\000\\003\\000\\001\" {\n  iaprefix fd77:0:0:1::/64 {\n    binding \
                       state active;\n    ends never;\n  }\n}\n";
    folder.write("dhcpd6.leases", &format!("authoring-byte-order little-endian;\n{association}"));
    for action in ["add", "del"] {
        let mut call = folder.command(&[action, "00:03:00:02", "fd77:0:0:1::"]);
        expect_success(call.env("DNSMASQ_IAID", "8").env("DNSMASQ_LEASE_EXPIRES", "0"));
        assert_eq!(folder.read("dhcpd6.leases").matches("ia-pd").count(), 1);
    }
    folder.init();
    assert!(folder.read("dhcpd6.leases").contains(association));
}

#[test]
fn only_the_leases_that_expire_last_are_printed_if_there_are_too_many() {
    let folder = JournalFolder::new();
    for (last, ends) in [(10, "1700000003"), (11, "0"), (12, "1700000001")] {
        expect_success(&mut folder.add(last, ends));
    }
    let output = run(folder.command(&["init"]).env("LEASE_MAX", "2"));
    assert_eq!(text(&output.stdout), [line(10, "1700000003"), line(11, "0")].concat());
    assert_eq!(text(&output.stderr), "lease-update: LEASE_MAX=2: 1 leases left out\n");
}

#[test]
fn the_shell_script_refuses_a_journal_in_one_line() {
    let folder = JournalFolder::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/lease_update.sh");
    let mut command = std::process::Command::new("sh");
    command.args([script, "init"]).env("LEASE_STORE", "journal:/nowhere/dhcpd.leases");
    assert!(expect_failure(&mut command).contains("LEASE_STORE"));
    assert!(folder.names().is_empty());
}
