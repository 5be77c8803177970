//! Scripts that signal dnsmasq, or leave processes running.

use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

const SCENARIO: &str = r#"title = "Two clients"
[[step]]
boot = {}
[[step]]
join = { client = "pc", count = 2 }
[[step]]
shutdown = true
[[step]]
boot = { off = "5m" }
expect = { leases = 2 }
"#;

/// A script that stores what has changed; `more` is done on `add` and `old`, `$changed` says whether something has.
fn script(more: &str) -> String {
    format!(
        r#"#!/bin/sh
case $1 in
init) nvram show 2>/dev/null | sed -n 's/^dnsmasq_lease_[^=]*=//p' ;;
add | old)
    lease="${{DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES}} $2 $3 ${{4:-*}} ${{DNSMASQ_CLIENT_ID:-*}}"
    changed=
    if [ "$(nvram get "dnsmasq_lease_$3")" != "$lease" ]; then
        changed=yes
        nvram set "dnsmasq_lease_$3=$lease" && nvram commit || exit
    fi
    {more}
    ;;
esac
"#
    )
}

#[rstest]
#[case::pid_file("kill -HUP \"$(cat /var/run/dnsmasq.pid)\"")]
#[case::init_script("/etc/init.d/dnsmasq reload")]
#[case::service("service dnsmasq reload")]
fn dnsmasq_calls_the_script_for_each_lease_after_a_signal(#[case] signal: &str) {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("quiet.sh", script(":"));
    lab.write("signals.sh", script(&format!("[ -z \"$changed\" ] || {signal}")));
    let calls = |name: &str| {
        let arguments = ["run", "story.toml", "--script", name, "--json", "report.json"];
        lab.command(&arguments).assert().success();
        let report: serde_json::Value =
            serde_json::from_str(&lab.read("report.json")).expect("JSON");
        report["scenarios"][0]["cases"][0]["calls"].as_u64().expect("a number")
    };
    // One call for the first lease, two for the second.
    assert_eq!(calls("signals.sh"), calls("quiet.sh") + 1 + 2);
}

#[test]
fn a_signal_in_each_call_has_no_end() {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("signals.sh", script("service dnsmasq reload"));
    lab.command(&["run", "story.toml", "--script", "signals.sh"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("signals or restarts dnsmasq again, endlessly").count(1));
}

#[rstest]
#[case::init_script("/etc/init.d/dnsmasq restart")]
#[case::merlin("service restart_dnsmasq")]
fn a_restart_of_dnsmasq_is_played_and_is_a_risk(#[case] restart: &str) {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("restarts.sh", script(&format!("[ -z \"$changed\" ] || {restart}")));
    let arguments = ["run", "story.toml", "--script", "restarts.sh"];
    lab.command(&arguments).assert().success().stdout(
        predicate::str::contains("restarts dnsmasq: the new dnsmasq calls `init`")
            .and(predicate::str::contains("risk")),
    );
}

#[test]
fn processes_that_each_call_leaves_running_are_a_bug() {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    let readers =
        "mkfifo /tmp/pipe; for reader in 1 2 3 4 5; do cat /tmp/pipe >/dev/null 2>&1 & done";
    lab.write("leaves.sh", script(&format!("[ -e /tmp/pipe ] || {{ {readers}; }}")));
    lab.command(&["run", "story.toml", "--script", "leaves.sh"]).assert().code(1).stdout(
        predicate::str::contains(
            "5 processes that calls have started in the background neither end nor sleep",
        ),
    );
}
