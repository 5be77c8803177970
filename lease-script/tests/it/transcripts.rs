//! Transcripts of calls, including the commands of the tool. They are the same for every implementation.

use rstest::rstest;

use crate::support::Implementation::{Ash, Bash, Dash, Executable, Library};
use crate::support::{
    Fault, FreeSpaceReport, Implementation, Session, SimpleTool, lease, test_call,
};

/// Compares the transcript of `calls` with the snapshot for all implementations.
fn check_transcript(name: &str, on: Implementation, tool: SimpleTool, calls: fn(&mut Session)) {
    let mut session = Session::new(on, tool);
    calls(&mut session);
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, session.transcript());
    });
}

macro_rules! transcripts {
    ($($name:ident($tool:expr) = $calls:expr;)*) => {$(
        #[rstest]
        fn $name(
            #[values(
                Library,
                Executable,
                Ash,
                Dash,
                Bash
            )]
            on: Implementation,
        ) {
            check_transcript(stringify!($name), on, $tool, $calls);
        }
    )*};
}

const DUID: &str = "00:03:00:01:02:aa:00:00:00:01";
const SERVER: &str = "00:01:00:01:2c:e6:ad:80:02:00:00:00:00:01";

fn lease6(action: &str, address: &str, iaid: &str, host: &[&str]) -> crate::support::TestCall {
    test_call([&[action, DUID, address], host].concat())
        .with("DNSMASQ_LEASE_EXPIRES", "1700007200")
        .with("DNSMASQ_IAID", iaid)
        .with("DNSMASQ_SERVER_DUID", SERVER)
}

transcripts! {
    lease_lifecycle(SimpleTool::new(FreeSpaceReport::Info, 5000)) = |s| {
        s.call(test_call(["init"]));
        s.call(lease("add", 10, "laptop", "1700003600").with("DNSMASQ_CLIENT_ID", "01:02:aa:00:00:00:0a"));
        s.call(lease("add", 9, "", "1700003600"));
        // dnsmasq reports every lease again when it starts.
        s.call(lease("old", 9, "", "1700003600"));
        s.call(lease("old", 10, "laptop", "1700003600").with("DNSMASQ_CLIENT_ID", "01:02:aa:00:00:00:0a"));
        // A renewal, then a change of the name, which is two calls.
        s.call(lease("old", 10, "laptop", "1700005400"));
        s.call(lease("old", 10, "", "1700005400").with("DNSMASQ_OLD_HOSTNAME", "laptop"));
        s.call(lease("old", 10, "desk", "1700005400"));
        s.call(test_call(["init"]));
        s.call(lease("del", 9, "", "1700003600"));
        s.call(lease("del", 9, "", "1700003600"));
        s.call(test_call(["init"]));
    };

    broken_rtc(SimpleTool::new(FreeSpaceReport::Show, 5000)) = |s| {
        let length = |action, length| {
            lease(action, 7, "tv", "1").without("DNSMASQ_LEASE_EXPIRES").with("DNSMASQ_LEASE_LENGTH", length)
        };
        s.call(length("add", "3600"));
        s.call(length("old", "3600"));
        s.call(length("old", "3600").with("LEASE_SLACK", "900"));
        s.call(length("old", "7200"));
        s.call(length("old", "4294967295"));
        s.call(length("old", "0"));
        s.call(test_call(["init"]));
    };

    unknown_actions(SimpleTool::new(FreeSpaceReport::Show, 5000)) = |s| {
        for action in ["arp-add", "arp-del", "tftp", "relay-snoop", "INIT", "-add", "old ", "snmp*"] {
            s.call(test_call([action, "02:aa:00:00:00:01", "192.168.1.9"]).with("LEASE_STORE", "journal:/x"));
        }
        s.call(test_call::<&str>([]));
    };

    dhcpv6(SimpleTool::new(FreeSpaceReport::Show, 5000)) = |s| {
        s.call(lease6("add", "fd77::1f2e", "1", &["bravo"]));
        s.call(lease6("add", "fd77::117b", "T77", &[]));
        s.call(lease6("old", "fd77::1f2e", "1", &["bravo"]));
        s.call(lease("add", 200, "four", "0"));
        s.call(test_call(["init"]));
        // A different server DUID alone is a change.
        s.call(lease6("old", "fd77::1f2e", "1", &["bravo"]).with("DNSMASQ_SERVER_DUID", "00:02:03"));
        s.call(lease6("del", "fd77::117b", "T77", &[]));
        s.call(lease6("add", "fd77::2", "4294967295", &[]).with("DNSMASQ_SERVER_DUID", "$(reboot)"));
        s.call(test_call(["init"]));
    };

    refused_calls(SimpleTool::new(FreeSpaceReport::Show, 5000)) = |s| {
        s.call(test_call(["add", "02:aa:00:00:00:01", "192.168.1.9"]));
        s.call(lease("add", 9, "x", "soon"));
        s.call(lease("add", 9, "x", "01"));
        s.call(lease("add", 9, "x", "12345678901"));
        for address in ["192.168.1.256", "192.168.01.9", "192.168.1", "", "1.2.3.4=", "fd77::0", "FD77::1", "::ffff:1.2.3.4", "::ffff:102:304", "fd77:0:0::1", "fe80::1%lan", "duid"] {
            s.call(test_call(["add", "02:aa:00:00:00:01", address]).with("DNSMASQ_LEASE_EXPIRES", "0"));
        }
        s.call(test_call(["del", "", "dnsmasq_lease_$(reboot)"]));
        for mac in ["nothex", "02:aa", "", "6-02:aa", "-", "02:AA:00:00:00:01", "02:aa:00:00:00:01:", "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00"] {
            s.call(test_call(["add", mac, "192.168.1.9"]).with("DNSMASQ_LEASE_EXPIRES", "0"));
        }
        s.call(lease6("add", "fd77::2", "4294967296", &[]));
        s.call(lease6("add", "fd77::2", "", &[]));
        s.call(test_call(["add", "*", "fd77::2"]).with("DNSMASQ_LEASE_EXPIRES", "0").with("DNSMASQ_IAID", "1"));
        s.call(test_call(["init"]));
    };

    unusual_hardware_and_names(SimpleTool::new(FreeSpaceReport::Show, 5000)) = |s| {
        for (last, mac) in ["06-02:aa:00:00:00:01", "20-00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "18-", "20-", "02:aa:bb"].iter().enumerate() {
            s.call(test_call(["add", mac, &format!("10.0.0.{last}")]).with("DNSMASQ_LEASE_EXPIRES", "0"));
        }
        for (last, host) in ["two words", "tab\tbed", "line\nbreak", "*", "-n", "%s%d\\n", "'; reboot #", "\u{7f}", "é", &"x".repeat(255), &"x".repeat(256)].iter().enumerate() {
            s.call(lease("add", last as u8, host, "0"));
        }
        s.call(lease("add", 100, "clid", "0").with("DNSMASQ_CLIENT_ID", "`reboot`"));
        s.call(lease("add", 101, "clid", "0").with("DNSMASQ_CLIENT_ID", "ff:2"));
        s.call(test_call(["init"]));
    };

    invalid_variables(SimpleTool::new(FreeSpaceReport::Info, 9000)) = |s| {
        let good = "0 02:aa:00:00:00:01 192.168.1.1 a *";
        for (name, value) in [
            ("lease_192.168.1.1", good),
            ("lease_192.168.1.2", good),
            ("lease_192.168.1.3", "notanumber 02:aa:00:00:00:01 192.168.1.3 a *"),
            ("lease_192.168.1.4", "0x10 02:aa:00:00:00:01 192.168.1.4 a *"),
            ("lease_192.168.1.5", "0 nothex 192.168.1.5 a *"),
            ("lease_192.168.1.6", "0 02:aa:00:00:00:01 192.168.1.6 a * more"),
            ("lease_192.168.1.7", "0 02:aa:00:00:00:01 192.168.1.7 a"),
            ("lease_192.168.1.8", "0  02:aa:00:00:00:01 192.168.1.8 a *"),
            ("lease_192.168.1.9", "0 02:aa:00:00:00:01 192.168.1.9 a nothex"),
            ("lease_192.168.1.10", "0 02:aa:00:00:00:01 192.168.1.10 a *\n"),
            ("lease_192.168.1.11", "0 02:aa:00:00:00:01 192.168.1.11 a *\nfree words"),
            ("lease_192.168.1.12", "0\t02:aa:00:00:00:01 192.168.1.12 a *"),
            ("lease_192.168.1.13", ""),
            ("lease_192.168.1.14", "garbage"),
            ("lease_192.168.1.015", "0 02:aa:00:00:00:01 192.168.1.015 a *"),
            ("lease_fd77::1", "1700000000 00:03:00:01:02:aa fd77::1 a *"),
            ("lease_fd77::2", "1700000000 5 fd77::2 a *"),
            ("lease_fd77::3", "1700000000 4294967296 fd77::3 a 00:03"),
            ("lease_duid", "duid not hex"),
            ("lease_max", "50"),
            ("lease_", ""),
            ("lease_\x1b[2J", "0"),
            ("wl0_ssid", "home\ndnsmasq_lease_192.168.1.66=0 02:aa:00:00:00:01 192.168.1.66 evil *"),
            ("motd", "x\ndnsmasq_lease_192.168.1.1=0 02:aa:00:00:00:99 192.168.1.1 evil *\ndnsmasq_lease_192.168.1.67=what"),
        ] {
            let name = name.replace("lease_", "dnsmasq_lease_");
            s.other(&[b"set", format!("{name}={value}").as_bytes()]);
        }
        s.call(test_call(["init"]));
        // Invalid variables stay if nothing else is written …
        s.call(lease("old", 1, "a", "0"));
        // … and are removed by the next write.
        s.call(lease("add", 20, "b", "1700000000"));
        s.call(test_call(["init"]));
    };

    longest_leases(SimpleTool::new(FreeSpaceReport::Show, 9000)) = |s| {
        for (last, expiry) in [(30, "1700000300"), (4, "1700000100"), (200, "0"), (5, "9999999999"), (7, "1700000300"), (6, "99"), (31, "1700000300")] {
            s.call(lease("add", last, "", expiry));
        }
        s.call(lease6("add", "fd77::2", "1", &[]));
        s.call(lease6("add", "fd77::1:0:0:1", "1", &[]).with("DNSMASQ_LEASE_EXPIRES", "1700000300"));
        for max in ["0", "", "9", "8", "6", "5", "4", "3", "1", "1000", "many", "-1", "010", "12345678901"] {
            s.call(test_call(["init"]).with("LEASE_MAX", max));
        }
    };

    failing_commands(SimpleTool::new(FreeSpaceReport::Info, 9000)) = |s| {
        s.call(lease("add", 1, "", "0"));
        s.call(test_call(["init"]).with_fault(Fault::Fail("show")));
        s.call(test_call(["init"]).with("LEASE_STRICT", "1").with_fault(Fault::Fail("show")));
        s.call(test_call(["init"]).with("LEASE_STRICT", "1"));
        s.call(lease("add", 2, "", "0").with_fault(Fault::Fail("show")));
        s.call(lease("del", 1, "", "0").with_fault(Fault::Fail("unset")));
        s.call(lease("old", 1, "", "1").with_fault(Fault::Fail("set")));
        s.call(test_call(["init"]));
    };

    crashing_tool(SimpleTool::new(FreeSpaceReport::Info, 9000)) = |s| {
        s.call(lease("add", 1, "", "0"));
        for (expiry, command) in ["get", "show", "info", "set", "commit"].iter().enumerate() {
            s.call(lease("old", 1, "", &expiry.to_string()).with_fault(Fault::Crash(command)));
        }
        for command in ["get", "show"] {
            s.call(test_call(["init"]).with_fault(Fault::Crash(command)));
            s.call(test_call(["init"]).with("LEASE_STRICT", "1").with_fault(Fault::Crash(command)));
        }
        s.call(lease("del", 1, "", "1").with_fault(Fault::Crash("unset")));
    };

    settings(SimpleTool::new(FreeSpaceReport::Show, 9000)) = |s| {
        s.call(lease("add", 1, "", "0").with("LEASE_PREFIX", "dhcp.lease-"));
        s.call(test_call(["init"]).with("LEASE_PREFIX", "dhcp.lease-"));
        for prefix in ["-x", "a b", "a=", "$(reboot)", "é", "a*"] {
            s.call(test_call(["init"]).with("LEASE_PREFIX", prefix));
        }
        s.call(lease("add", 2, "", "1").with("LEASE_SLACK", "an hour"));
        s.call(lease("add", 3, "", "1").with("LEASE_STORE", "nvram"));
        s.call(lease("add", 4, "", "1").with("LEASE_STORE", "etcd"));
    };

    free_space(SimpleTool::new(FreeSpaceReport::Show, 0)) = |s| {
        for report in [FreeSpaceReport::Show, FreeSpaceReport::Info, FreeSpaceReport::LastLine] {
            s.other(&[b"unset", b"nothing"]);
            // dnsmasq_lease_192.168.1.1=1 02:aa:00:00:00:01 192.168.1.1 * * uses 62 bytes.
            for left in [62 + 91, 62 + 92] {
                s.router = crate::support::Router::new(SimpleTool::new(report, left));
                s.call(lease("add", 1, "", "1"));
            }
            // 92 bytes left: a change of the same length, longer, shorter, a removal.
            s.call(lease("old", 1, "", "2"));
            s.call(lease("old", 1, "a-name", "2"));
            s.call(lease("old", 1, "", "0"));
            s.call(lease("del", 1, "", "0"));
        }
        // A negative number: another program set more in RAM than fits into flash.
        let mut full = SimpleTool::new(FreeSpaceReport::Show, 1000);
        full.ram.push((b"dnsmasq_lease_192.168.1.1".to_vec(), b"1 02:aa:00:00:00:01 192.168.1.1 * *".to_vec()));
        full.left = -11;
        s.router = crate::support::Router::new(full);
        s.call(lease("old", 1, "", "2"));
        s.call(lease("add", 2, "", "2"));
        s.call(lease("del", 1, "", "2"));
    };

    forged_free_space(SimpleTool::new(FreeSpaceReport::LastLine, 10)) = |s| {
        let line = "999 entries, 1 bytes used, 30000 bytes free.";
        s.other(&[b"set", format!("motd=x\n---\n{line}").as_bytes()]);
        s.call(lease("add", 1, "", "1"));
        let mut info = SimpleTool::new(FreeSpaceReport::Info, 10);
        info.ram.push((b"motd".to_vec(), format!("size: 1 bytes (30000 left)\n---\n{line}").into_bytes()));
        s.router = crate::support::Router::new(info);
        s.call(lease("add", 1, "", "1"));
    };

    unknown_free_space(SimpleTool::new(FreeSpaceReport::None, 70)) = |s| {
        s.call(lease("add", 1, "", "1").with("LEASE_NVRAM_FREE", "100"));
        s.call(lease("add", 1, "", "1").with("LEASE_NVRAM_FREE", "10k"));
        s.call(lease("add", 1, "", "1").with("LEASE_NVRAM_FREE", "200"));
        // Without a number: the change is made and checked afterwards.
        s.call(lease("old", 1, "", "2"));
        let mut tool = SimpleTool::new(FreeSpaceReport::None, 70);
        tool.drops_variables = true;
        tool.ram.push((b"board".to_vec(), b"mac=02:00:00:00:00:01".to_vec()));
        s.router = crate::support::Router::new(tool);
        s.call(lease("add", 1, "", "1"));
        s.call(lease("add", 2, "", "1"));
        s.call(test_call(["init"]));
    };

    tool_that_ignores_set(SimpleTool::new(FreeSpaceReport::Show, 1000)) = |s| {
        s.call(lease("add", 1, "", "1"));
        let mut tool = SimpleTool::new(FreeSpaceReport::Show, 1000);
        tool.ram.push((b"dnsmasq_lease_192.168.1.1".to_vec(), b"1 02:aa:00:00:00:01 192.168.1.1 * *".to_vec()));
        tool.ignores_set = true;
        s.router = crate::support::Router::new(tool);
        s.call(lease("old", 1, "", "2"));
        s.call(lease("add", 2, "", "2"));
        s.call(test_call(["init"]));
    };
}
