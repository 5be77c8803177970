//! The judge: scripts with one planted fault each, and the invariants that detect them.

use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

/// A household that exercises every invariant.
const SCENARIO: &str = r#"
title = "A household"

[parameters]
dialect = ["openwrt", "broadcom"]

[router]
dialect = "$dialect"
variables = { forged = 'x\x0adnsmasq_lease_192.168.1.9=0 02:bb:00:00:00:09 192.168.1.9 ghost *' }

[server]
range6 = "fd00::100-fd00::1ff"

[script]
use = "script.sh"

[[step]]
boot = {}

[[step]]
join = { client = "phone" }

[[step]]
join = { client = "tablet", v6 = "na" }

[[step]]
advance = "1h"

[[step]]
renew = { client = "phone" }

[[step]]
dnsmasq = "sighup"

[[step]]
rename = { client = "phone", hostname = "fone" }

[[step]]
power-cut = true

[[step]]
boot = { off = "5m" }

[[step]]
join = { client = "guest" }

[[step]]
release = { client = "guest" }
"#;

/// A minimal correct script in which faults are planted by replacing parts of it.
fn script(faults: &[(&str, &str)]) -> String {
    let mut text = r#"#!/bin/sh
p=dnsmasq_lease_
case $1 in
init)
	for n in $(nvram show 2>/dev/null | sed -n 's/^\(dnsmasq_lease_[0-9.]*\)=.*/\1/p'); do
		v=$(nvram get "$n"); [ -z "$v" ] || printf '%s\n' "$v"
	done | sort -u
	v=$(nvram get ${p}duid); [ -z "$v" ] || printf '%s\n' "$v"
	for n in $(nvram show 2>/dev/null | sed -n 's/^\(dnsmasq_lease_[0-9a-f]*:[0-9a-f:]*\)=.*/\1/p'); do
		nvram get "$n"
	done
	exit 0 ;;
add|old)
	t=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES}
	case $3 in
	*:*) v="$t $DNSMASQ_IAID $3 ${4:-*} $2" ;;
	*) v="$t $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}" ;;
	esac
	d=${DNSMASQ_SERVER_DUID:+duid $DNSMASQ_SERVER_DUID}
	[ "$(nvram get $p$3)" = "$v" ] && { [ -z "$d" ] || [ "$(nvram get ${p}duid)" = "$d" ]; } && exit 0
	nvram set "$p$3=$v"
	[ -z "$d" ] || nvram set "${p}duid=$d"
	nvram commit ;;
del)
	nvram unset "$p$3"
	nvram commit ;;
esac
exit 0
"#
    .to_owned();
    for (from, to) in faults {
        assert!(text.contains(from), "the script has no {from:?}");
        text = text.replace(from, to);
    }
    text
}

fn lab(faults: &[(&str, &str)]) -> Lab {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO).write("script.sh", script(faults));
    lab
}

/// The heading of a finding of this kind, of any severity.
fn finding(kind: &str) -> predicates::str::RegexPredicate {
    predicate::str::is_match(format!("(?m)^(bug|risk|advice) {kind}( |$)")).expect("a pattern")
}

#[test]
fn a_script_without_fault_passes() {
    lab(&[])
        .command(&["run", "story.toml"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("1 scenario: 2 cases passed, 0 failed, 0 skipped"));
}

#[rstest]
#[case::commits_always("no-redundant-writes", &[(
    r#"[ "$(nvram get $p$3)" = "$v" ] && { [ -z "$d" ] || [ "$(nvram get ${p}duid)" = "$d" ]; } && exit 0"#,
    ":",
)])]
#[case::never_commits("durability", &[("nvram commit", ":")])]
#[case::commits_before_it_sets("durability", &[("nvram set \"$p$3=$v\"", "nvram commit; nvram set \"$p$3=$v\"; exit 0")])]
#[case::forgets_the_duid("agreement", &[("v=$(nvram get ${p}duid); [", ": [")])]
#[case::forgets_v6("agreement", &[("\t*:*) v=", "\t*:*) exit 0; v=")])]
#[case::trusts_show("durability", &[("v=$(nvram get \"$n\"); [ -z \"$v\" ] || printf '%s\\n' \"$v\"", "nvram show 2>/dev/null | sed -n \"s/^$n=//p\"")])]
#[case::prints_rubbish("parsability", &[("init)", "init) echo rubbish;")])]
#[case::init_fails("parsability", &[("\texit 0 ;;\nadd", "\texit 3 ;;\nadd")])]
#[case::init_commits("no-redundant-writes", &[("init)", "init) nvram commit")])]
#[case::loses_a_neighbour("neighbours", &[("del)", "del) nvram unset wl0_cfg0003;")])]
#[case::adds_a_neighbour("neighbours", &[("del)", "del) nvram set junk=1;")])]
#[case::touches_another_lease("agreement", &[("del)", "del) nvram unset dnsmasq_lease_192.168.1.123;")])]
#[case::writes_a_shorter_time("agreement", &[("t=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES}", "t=$((DNSMASQ_LEASE_EXPIRES - 1))")])]
#[case::drops_the_name("agreement", &[("${4:-*} ${DNSMASQ_CLIENT_ID:-*}", "* ${DNSMASQ_CLIENT_ID:-*}")])]
#[case::never_returns("anomaly", &[("del)", "del) while :; do :; done;")])]
fn a_planted_fault_is_detected(#[case] invariant: &str, #[case] faults: &[(&str, &str)]) {
    lab(faults)
        .command(&["run", "story.toml", "--timeout", "2"])
        .assert()
        .code(1)
        .stdout(finding(invariant));
}

const CUT: &str = r#"
title = "Power is lost inside a call"
[script]
use = "script.sh"
[[step]]
boot = {}
[[step]]
join = { client = "phone" }
[[step]]
join = { client = "tablet" }
[[step]]
rename = { client = "phone", hostname = "fone" }
at-call = 2
cut = "after set"
[[step]]
boot = {}
expect = { has = ["phone", "tablet"] }
"#;

#[test]
fn a_cut_between_set_and_commit_loses_only_that_event() {
    let lab = lab(&[]);
    lab.write("story.toml", CUT).command(&["run", "story.toml"]).assert().code(0);
}

#[test]
fn a_cut_detects_a_script_that_unsets_before_it_sets() {
    let lab =
        lab(&[("nvram set \"$p$3=$v\"", "nvram unset $p$3; nvram commit; nvram set \"$p$3=$v\"")]);
    lab.write("story.toml", CUT)
        .command(&["run", "story.toml"])
        .assert()
        .code(1)
        .stdout(finding("atomicity"));
}

#[test]
fn an_expected_violation_that_does_not_occur_is_a_failure() {
    let lab = lab(&[]);
    let text = format!(
        "{SCENARIO}\n[[breaks]]\ninvariant = \"no-redundant-writes\"\nwhy = \"so they say\"\n"
    );
    lab.write("story.toml", text).command(&["run", "story.toml"]).assert().code(1).stdout(
        predicate::str::contains(
            "no-redundant-writes held, but the scenario expects it to be broken: so they say",
        ),
    );
}

#[test]
fn a_disturbance_that_does_not_occur_is_a_failure() {
    let lab = lab(&[]);
    lab.write("story.toml", CUT.replace("after set", "after unset"))
        .command(&["run", "story.toml"])
        .assert()
        .code(1)
        .stdout(
            finding("anomaly").and(predicate::str::contains("`cut after unset` did not occur")),
        );
}
