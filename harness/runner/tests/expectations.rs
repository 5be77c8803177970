//! Every key of `expect` fails with a message that names what was expected and what was found.

use std::collections::BTreeSet;
use std::path::Path;

use rstest::rstest;
use runner::{GatePolicy, InitCalls, Options, ScriptChoice, ScriptExecution, run_case};
use scenario::{Overrides, cases, json_schema};

/// Two clients in a household with DHCPv6: the phone joins in the last step but one, the tablet in the last.
const SCENARIO: &str = r#"
title = "Two leases"
[server]
range6 = "fd00::100-fd00::1ff"
[script]
use = "rust"
[[step]]
boot = {}
[[step]]
files = { "/tmp/note" = "a note" }
[[step]]
join = { client = "phone", address = "192.168.1.60" }
[[step]]
join = { client = "tablet", v6 = "na", duid = "00:03:00:01:02:aa:00:00:00:02" }
"#;

/// The texts of the failures of a scenario.
fn failures(text: String) -> Vec<String> {
    let cases = cases(Path::new("scenario.toml"), text, &Overrides::default());
    let cases = cases.expect("a valid scenario");
    let options = Options {
        execution: ScriptExecution::InProcess,
        script: ScriptChoice::default(),
        seed: 0,
        log: false,
        init_calls: InitCalls::default(),
        gate: GatePolicy::strict(),
    };
    let report = run_case(&cases[0], &options).expect("a scenario that can be played");
    report.failures.into_iter().map(|finding| finding.text).collect()
}

/// The failures of a step that expects this after both clients have joined.
fn unmet(expect: &str) -> Vec<String> {
    failures(format!("{SCENARIO}expect = {{ {expect} }}\n"))
}

macro_rules! unmet_expectations {
    ($($name:ident, $key:literal, $expect:literal => $message:literal;)*) => {
        const KEYS: &[&str] = &[$($key),*];

        #[rstest]
        $(#[case::$name($key, $expect, $message)])*
        fn an_unmet_expectation_is_reported(
            #[case] key: &str,
            #[case] value: &str,
            #[case] message: &str,
        ) {
            let found = unmet(&format!("{key} = {value}"));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(message), "{found:?}");
        }
    };
}

unmet_expectations! {
    leases, "leases", "3" => "leases that init prints: expected 3, found 2";
    lines, "lines", "[]" => "lines of init: expected [], found [";
    has, "has", "['192.168.1.99']" => "no lease is stored for 192.168.1.99 (192.168.1.99)";
    lacks, "lacks", "['phone']" => "a lease is stored for phone (192.168.1.60)";
    names, "names", "['printer']" => "dnsmasq has no answer for printer";
    no_names, "no-names", "['phone']" => "dnsmasq answers for phone";
    remaining, "remaining", "{ phone = '1h' }" => "remaining for phone: expected 1h, found 12h";
    variables, "variables", "{ 'dnsmasq_lease_192.168.1.60' = 'x' }"
        => "dnsmasq_lease_192.168.1.60 in nvram get: expected \"x\", found `";
    no_variables, "no-variables", "['dnsmasq_lease_duid']" => "dnsmasq_lease_duid is set in nvram get";
    flash, "flash", "{ nonexistent = 'x' }" => "nonexistent in flash: expected \"x\", found nothing";
    no_flash, "no-flash", "['dnsmasq_lease_duid']" => "dnsmasq_lease_duid is set in flash";
    files, "files", "{ '/tmp/hosts' = 'x' }" => "/tmp/hosts: expected \"x\", found no file";
    no_files, "no-files", "['/tmp/note']" => "there is a file /tmp/note";
    committed, "committed", "false" => "whether flash holds what RAM holds: expected false, found true";
    calls, "calls", "0" => "calls: expected 0, found 1";
    call_list, "call-list", "[]" => "calls: expected [], found [\"add 00:03:";
    failed_calls, "failed-calls", "1" => "failed calls: expected 1, found 0";
    exit, "exit", "1" => "exit code of the last call: expected 1, found 0";
    stderr, "stderr", "['no space']" => "stderr lacks \"no space\": \"\"";
    nvram_commands, "nvram-commands", "0" => "nvram commands: expected 0, found ";
    commits, "commits", "0" => "commits: expected 0, found 1";
    erases, "erases", "0" => "erases: expected 0, found 1";
    programmed, "programmed", "0" => "bytes programmed: expected 0, found ";
    flash_operations, "flash-operations", "0" => "flash operations: expected 0, found ";
    total_calls, "total-calls", "0" => "calls in all: expected 0, found 3";
    total_commits, "total-commits", "0" => "commits in all: expected 0, found 2";
    total_erases, "total-erases", "0" => "erases in all: expected 0, found 2";
    record_bytes, "record-bytes", "{ at-least = 1000 }" => "bytes of a record: expected 1000 to any, found ";
    stored_bytes, "stored-bytes", "{ at-most = 1 }" => "bytes of all records: expected any to 1, found ";
    dnsmasq_exit, "dnsmasq-exit", "5" => "dnsmasq's exit code: expected 5, found none";
    reply, "reply", "'nak'" => "the server's reply: expected nak, found ack";
}

#[test]
fn every_key_of_the_schema_is_tested() {
    let schema: serde_json::Value = serde_json::from_str(&json_schema()).expect("JSON");
    let keys = schema["$defs"]["Expect"]["properties"].as_object().expect("an object");
    let keys = keys.keys().map(String::as_str);
    let keys: BTreeSet<&str> = keys.filter(|key| *key != "when").collect();
    assert_eq!(keys, KEYS.iter().copied().collect());
}

#[test]
fn an_unknown_client_in_has_is_reported() {
    assert_eq!(unmet("has = ['printer']"), ["no client or address `printer`"]);
}

#[test]
fn an_exit_of_dnsmasq_that_is_not_expected_is_reported() {
    let text = "title = \"Too many leases\"\n[router]\nvariables = { \
                'dnsmasq_lease_192.168.1.60' = '0 02:aa:00:00:00:01 192.168.1.60 * *', \
                'dnsmasq_lease_192.168.1.61' = '0 02:aa:00:00:00:02 192.168.1.61 * *' }\n\
                [server]\nlease-limit = 1\n[script]\nuse = \"rust\"\n\
                [[step]]\nboot = {}\nexpect = { leases = 2 }\n";
    assert_eq!(failures(text.to_owned()), ["dnsmasq's exit code: expected none, found 5"]);
}

const PHONE: &str = "*TIME* 02:aa:00:00:00:01 192.168.1.60 phone 01:02:aa:00:00:00:01";
const LAPTOP: &str = "*TIME* 02:aa:00:00:00:03 192.168.1.61 laptop 01:02:aa:00:00:00:03";

/// The failures of a step that expects these lines after a third client has joined.
fn unmet_lines(expected: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    let join = "[[step]]\njoin = { client = \"laptop\", address = \"192.168.1.61\" }\n";
    let text = |lines: &[String]| format!("{SCENARIO}{join}expect = {{ lines = {lines:?} }}\n");
    // The DUID is generated, so the lines are taken from the message about an expectation of no lines.
    let all = failures(text(&[])).remove(0);
    let line = |part: &str| {
        let line = all.split('"').find(|line| line.contains(part)).expect("a line");
        line.trim_matches('`').to_owned()
    };
    failures(text(&expected(&line("duid "), &line("fd00::"))))
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn lines_of_one_family_may_be_expected_in_any_order() {
    let none: [&str; 0] = [];
    assert_eq!(unmet_lines(|duid, v6| lines(&[PHONE, LAPTOP, duid, v6])), none);
    assert_eq!(unmet_lines(|duid, v6| lines(&[LAPTOP, PHONE, duid, v6])), none);
}

#[rstest]
#[case::v6_before_v4(|duid: &str, v6: &str| lines(&[v6, PHONE, LAPTOP, duid]))]
#[case::duid_last(|duid: &str, v6: &str| lines(&[PHONE, LAPTOP, v6, duid]))]
fn families_in_another_order_than_that_of_init_are_reported(
    #[case] expected: fn(&str, &str) -> Vec<String>,
) {
    let found = unmet_lines(expected);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("init prints DHCPv4 leases, then the DUID, then DHCPv6 leases"),
        "{found:?}"
    );
}

#[rstest]
#[case::twice_in_place_of_another(|duid: &str, v6: &str| lines(&[PHONE, PHONE, duid, v6]))]
#[case::once_too_often(|duid: &str, v6: &str| lines(&[PHONE, PHONE, LAPTOP, duid, v6]))]
#[case::one_missing(|duid: &str, v6: &str| lines(&[PHONE, duid, v6]))]
fn each_expected_line_matches_one_printed_line(#[case] expected: fn(&str, &str) -> Vec<String>) {
    let found = unmet_lines(expected);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("lines of init: expected ["), "{found:?}");
}

/// The failures of a scenario with two cases, each of which has its own expectation.
#[rstest]
#[case("{ when = { build = 'good' }, calls = 7 }", &["calls: expected 7, found 1"])]
#[case("{ when = { build = 'broken' }, calls = 7 }", &[])]
#[case("{ when = { build = ['good', 'broken'] }, calls = 7 }", &["calls: expected 7, found 1"])]
fn an_expectation_with_a_condition_is_checked_where_the_condition_is_true(
    #[case] table: &str,
    #[case] expected: &[&str],
) {
    let text = format!(
        "title = \"x\"\n[parameters]\nbuild = [\"good\", \"broken\"]\n[router]\nrtc = \"$build\"\n\
         [script]\nuse = \"rust\"\n[[step]]\nboot = {{}}\nexpect = [{{ leases = 0 }}, {table}]\n"
    );
    assert_eq!(failures(text), expected);
}
