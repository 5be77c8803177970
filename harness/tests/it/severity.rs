//! Verdicts on scripts of one's own: severities, allowed groups, owned variables, other dialects, embedded scenarios.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::lab::{COMMITS_FIRST, Lab};

/// Stores each lease in a variable, and commits even if nothing has changed.
const COMMITS_ALWAYS: &str = r#"#!/bin/sh
case $1 in
init) nvram show 2>/dev/null | sed -n 's/^dnsmasq_lease_[^=]*=//p' ;;
add | old)
    nvram set "dnsmasq_lease_$3=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
    nvram commit
    ;;
del)
    nvram unset "dnsmasq_lease_$3"
    nvram commit
    ;;
esac
"#;

/// Stores all leases in the variable `all_leases`, separated by `;`.
const ONE_VARIABLE: &str = r#"#!/bin/sh
stored=$(nvram get all_leases 2>/dev/null)
print() { printf '%s' "$stored" | tr ';' '\n'; }
case $1 in
init) print ;;
add | old | del)
    new=$(print | grep -v " $3 ")
    if [ "$1" != del ]; then
        new="$new
${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
    fi
    new=$(printf '%s\n' "$new" | sed '/^$/d' | sort | sed 's/$/;/' | tr -d '\n')
    if [ "$new" != "$stored" ]; then
        nvram set all_leases="$new"
        nvram commit
    fi
    ;;
esac
"#;

/// Stores one-variable leases correctly, and loses a setting of another program.
const LOSES_A_SETTING: &str = r"#!/bin/sh
case $1 in
add) nvram unset lan_ipaddr; nvram commit; exit 1 ;;
esac
";

const STORY: &str = r#"
title = "Two clients and a power cut"
[router]
variables = { lan_ipaddr = "192.168.1.1" }
[[step]]
boot = {}
[[step]]
join = { client = "pc", count = 2 }
[[step]]
dnsmasq = "sighup"
[[step]]
power-cut = true
[[step]]
boot = {}
"#;

fn lab(script: &str) -> Lab {
    let lab = Lab::new();
    lab.write("story.toml", STORY).write("mine.sh", script);
    lab
}

#[rstest]
#[case::default(&[], 0)]
#[case::bugs(&["--deny", "bug"], 0)]
#[case::risks(&["--deny", "risk"], 0)]
#[case::advice(&["--deny", "advice"], 1)]
#[case::allowed(&["--deny", "advice", "--allow", "write-economy"], 0)]
#[case::another_group_allowed(&["--deny", "advice", "--allow", "atomic"], 1)]
fn a_redundant_write_fails_only_where_advice_is_denied(
    #[case] options: &[&str],
    #[case] exit: i32,
) {
    let lab = lab(COMMITS_ALWAYS);
    let arguments = ["run", "story.toml", "--script", "mine.sh", "--shell", "sh"];
    let arguments = [&arguments[..], options].concat();
    lab.command(&arguments).assert().code(exit).stdout(contains("no-redundant-writes"));
}

#[test]
fn every_command_gives_the_same_verdict() {
    let lab = lab(COMMITS_FIRST);
    // Reporting every lease again would save what is only in RAM.
    lab.write("story.toml", STORY.replace("[[step]]\ndnsmasq = \"sighup\"\n", ""));
    let script = ["--script", "mine.sh", "--shell", "sh"];
    for (command, options) in [
        (&["run", "story.toml"][..], &[][..]),
        (&["crash", "story.toml"], &[]),
        (
            &["fuzz", "--cases", "1", "--events", "40"],
            &["--deny", "risk", "--rtc", "good", "--dialect", "openwrt"],
        ),
    ] {
        let arguments = [command, &script, options].concat();
        lab.command(&arguments).assert().code(1);
        let groups = ["survives", "atomic", "start-up-output", "other-settings"];
        let allow = groups.iter().flat_map(|group| ["--allow", *group]);
        let arguments: Vec<&str> = arguments.into_iter().chain(allow).collect();
        lab.command(&arguments).assert().code(0);
    }
}

#[test]
fn a_printed_reproduction_has_the_same_policy() {
    let lab = lab(COMMITS_ALWAYS);
    let options = ["--deny", "advice", "--owns", "dnsmasq_lease_*"];
    let arguments = ["run", "story.toml", "--script", "mine.sh", "--shell", "sh"];
    let output = lab.command(&[&arguments[..], &options].concat()).output().expect("a run");
    for command in Lab::printed_commands(&output.stdout) {
        assert!(
            command.contains("--deny advice --owns 'dnsmasq_lease_*'")
                || command.contains("--owns 'dnsmasq_lease_*' --deny advice"),
            "{command}"
        );
        lab.shell(&command).assert().code(1);
    }
}

#[test]
fn a_lost_setting_is_a_bug() {
    let lab = lab(LOSES_A_SETTING);
    let arguments = ["run", "story.toml", "--script", "mine.sh", "--shell", "sh"];
    lab.command(&arguments)
        .assert()
        .code(1)
        .stdout(contains("lan_ipaddr was lost").and(contains("although the NVRAM has room")));
}

#[test]
fn variables_of_any_layout_can_belong_to_a_script() {
    let lab = lab(ONE_VARIABLE);
    let arguments = ["run", "story.toml", "--script", "mine.sh", "--shell", "sh"];
    let hint = "all_leases was added in RAM; if it belongs to the script: --owns all_leases";
    lab.command(&arguments).assert().code(0).stdout(contains(hint));
    let strict = [&arguments[..], &["--deny", "risk"]].concat();
    lab.command(&strict).assert().code(1);
    let owning = [&arguments[..], &["--deny", "advice", "--owns", "all_*"]].concat();
    lab.command(&owning).assert().code(0).stdout(contains("was added").not());
}

#[test]
fn power_cuts_of_a_script_with_one_variable_are_explored() {
    let lab = lab(ONE_VARIABLE);
    let arguments = ["crash", "story.toml", "--script", "mine.sh", "--shell", "sh"];
    let clean = contains(" 0 broken");
    let owning = [&arguments[..], &["--deny", "advice", "--owns", "all_leases"]].concat();
    lab.command(&owning).assert().code(0).stdout(clean.clone());
    lab.command(&arguments).assert().code(0).stdout(clean);
}

#[test]
fn an_invalid_pattern_is_refused() {
    let lab = lab(ONE_VARIABLE);
    let arguments = ["run", "story.toml", "--script", "mine.sh", "--owns", "a["];
    lab.command(&arguments).assert().code(2).stderr(contains("invalid pattern \"a[\""));
}

/// A scenario about the project's scripts: two of them, a message, and a cost.
const ABOUT_OUR_SCRIPTS: &str = r#"
title = "The messages of our script"
[parameters]
script = ["shell", "rust"]
[script]
use = "$script"
[[step]]
boot = {}
[[step]]
join = { client = "pc" }
expect = { commits = 7, stderr = ["no room"], variables = { dnsmasq_lease_1 = "x" }, leases = 1 }
"#;

#[test]
fn a_chosen_script_is_not_judged_by_what_ours_print() {
    let lab = lab(COMMITS_ALWAYS);
    lab.write("ours.toml", ABOUT_OUR_SCRIPTS);
    let arguments = ["run", "ours.toml", "--script", "mine.sh", "--shell", "sh"];
    lab.command(&arguments).assert().code(0).stdout(contains("1 case passed, 0 failed"));
}

#[test]
fn a_chosen_script_is_judged_by_what_dnsmasq_sees() {
    let lab = lab("#!/bin/sh\n");
    lab.write("ours.toml", ABOUT_OUR_SCRIPTS);
    let arguments = ["run", "ours.toml", "--script", "mine.sh", "--shell", "sh"];
    lab.command(&arguments).assert().code(1);
}

#[test]
fn scenarios_that_make_no_sense_with_a_chosen_script_are_named() {
    let lab = lab(COMMITS_ALWAYS);
    let environment = "title = \"Slack\"\n[script]\nslack = \"5m\"\n[[step]]\nboot = {}\n";
    let fault = "title = \"A cut\"\n[[step]]\nboot = {}\n[[step]]\njoin = { client = \"pc\" }\ncut = \"before info\"\n";
    lab.write("all/slack.toml", environment).write("all/story.toml", STORY);
    lab.write("all/cut.toml", fault);
    let arguments = ["run", "all", "--script", "mine.sh", "--shell", "sh"];
    let output = lab.command(&[&arguments[..], &["--json", "r.json"]].concat());
    let mut output = output;
    output
        .assert()
        .code(0)
        .stdout(contains("1 skipped"))
        .stderr(contains("2 of 3 scenarios apply, 1 case is left out (--verbose names them)"));
    let why = "all/slack: it sets environment variables of the project's scripts";
    lab.command(&[&arguments[..], &["--verbose"]].concat()).assert().stderr(contains(why));
    let report: serde_json::Value = serde_json::from_str(&lab.read("r.json")).expect("JSON");
    assert_eq!(report["left_out"][0]["case"], "all/slack");
}

#[test]
fn a_dialect_replaces_those_of_a_scenario() {
    let lab = Lab::new();
    let story = STORY.replace("[router]", "[router]\ndialect = \"openwrt\"");
    let with_condition = format!(
        "{}expect = {{ when = {{ dialect = \"openwrt\" }}, committed = true }}\n",
        STORY
            .replace("title", "parameters = { dialect = [\"openwrt\"] }\ntitle")
            .replace("[router]", "[router]\ndialect = \"$dialect\"")
    );
    lab.write("all/story.toml", story).write("all/condition.toml", with_condition);
    lab.command(&["run", "all", "--dialect", "tomato", "--verbose"])
        .assert()
        .code(0)
        .stdout(contains("all/story[dialect=tomato]"))
        .stderr(contains("1 of 2 scenarios apply"))
        .stderr(contains("all/condition[dialect=tomato]: it does not say what is different"));
}

#[test]
fn scenarios_are_embedded() {
    let lab = lab(COMMITS_ALWAYS);
    let filter = ["--filter", "reboot/power-cut", "--dialect", "openwrt"];
    let script = ["--script", "mine.sh", "--shell", "sh", "--deny", "advice"];
    let arguments = [&["run"][..], &filter, &script].concat();
    let output = lab.command(&arguments).output().expect("a run");
    assert_eq!(output.status.code(), Some(1));
    let commands = Lab::printed_commands(&output.stdout);
    assert!(commands.iter().all(|command| command.contains("builtin")));
    for command in &commands {
        lab.shell(command).assert().code(1);
    }
    lab.command(&["run", "builtin:reboot/no-such.toml"]).assert().code(2);
    let needs_a_file = contains("it needs the file ../scripts/forgetful.sh, which is not embedded");
    lab.command(&["run", "builtin:claims", "--filter", "names-are-back-hours-later"])
        .assert()
        .code(2)
        .stderr(needs_a_file);
}
