//! How failures are reported: on the terminal, in JUnit, JSON and HTML, and as annotations.

use insta::assert_snapshot;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::lab::{COMMITS_FIRST, Lab, TWO_CLIENTS};

/// Prints a banner before the leases, which makes dnsmasq read the words of the first line as those of the banner.
const BANNER: &str = r#"#!/bin/sh
case $1 in
init)
    echo 'leases v1.2 (c) 2006'
    nvram show 2>/dev/null | sed -n 's/^dnsmasq_lease_[^=]*=//p'
    ;;
add | old)
    nvram set "dnsmasq_lease_$3=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
    nvram commit
    ;;
esac
"#;

/// Ignores that the NVRAM is full.
const IGNORES_ERRORS: &str = r#"#!/bin/sh
case $1 in
init) nvram show 2>/dev/null | sed -n 's/^dnsmasq_lease_[^=]*=//p' ;;
add | old)
    nvram set "dnsmasq_lease_$3=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
    nvram commit
    ;;
esac
exit 0
"#;

/// Writes what no report may pass on as it is.
const HOSTILE: &str = r#"#!/bin/sh
printf '\033[31mred\033[0m \377\376 ]]> <script>alert(1)</script> \357\277\277 \342\200\256 %%0A::error::\n' >&2
[ "$1" = init ] && printf 'not \033[2J a <b>lease</b> & more\n0 02:aa:00:00:00:09 192.168.1.9 x *\n'
exit 0
"#;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("story.toml", TWO_CLIENTS);
    for (name, text) in [
        ("commits-first.sh", COMMITS_FIRST),
        ("banner.sh", BANNER),
        ("ignores-errors.sh", IGNORES_ERRORS),
        ("hostile.sh", HOSTILE),
        ("naive.sh", include_str!("../../../scenarios/scripts/naive.sh")),
    ] {
        lab.write(name, text);
    }
    lab
}

fn transcript(lab: &Lab, script: &str) -> String {
    lab.transcript(&["run", "story.toml", "--script", script, "--jobs", "1"])
}

#[test]
fn an_acknowledged_lease_that_was_not_committed_is_explained() {
    assert_snapshot!(transcript(&lab(), "commits-first.sh"));
}

#[test]
fn a_banner_in_the_output_of_init_is_explained() {
    assert_snapshot!(transcript(&lab(), "banner.sh"));
}

#[test]
fn redundant_writes_of_several_cases_are_one_failure() {
    assert_snapshot!(transcript(&lab(), "naive.sh"));
}

#[test]
fn a_failed_command_whose_exit_code_is_ignored_is_explained() {
    let lab = lab();
    let story = lab
        .read("story.toml")
        .replace("dialect = \"$dialect\"", "dialect = \"$dialect\"\nfree = \"40\"");
    lab.write("story.toml", story);
    assert_snapshot!(transcript(&lab, "ignores-errors.sh"));
}

#[test]
fn no_report_passes_on_control_characters_or_markup() {
    let lab = lab();
    let words =
        ["run", "story.toml", "--script", "hostile.sh", "--verbose", "--annotate", "github"];
    let reports =
        ["--junit", "out.xml", "--json", "out.json", "--html", "out.html", "--keep", "kept"];
    let output = lab.command(&words).args(reports).assert().code(1);
    let terminal = String::from_utf8(output.get_output().stdout.clone()).expect("UTF-8");
    let kept = |name| lab.read(&format!("kept/story_dialect=openwrt_/{name}"));
    for text in [
        &terminal,
        &lab.read("out.xml"),
        &lab.read("out.json"),
        &lab.read("out.html"),
        &kept("findings.txt"),
        &kept("calls.txt"),
    ] {
        let bad =
            |c: &char| (c.is_control() && *c != '\n') || "\u{ffff}\u{202e}\u{fffe}".contains(*c);
        assert_eq!(text.chars().find(bad), None);
        assert!(text.contains("red"), "stderr is shown: {text}");
    }
    for (name, markup) in
        [("out.xml", "<script>"), ("out.html", "<script>alert"), ("out.html", "<b>two")]
    {
        assert!(!lab.read(name).contains(markup), "{name}");
    }
    let forged =
        |line: &&str| line.starts_with("::") && !line.starts_with("::error file=story.toml,line=");
    assert_eq!(terminal.lines().find(forged), None);
}

#[test]
fn junit_has_the_place_the_kind_and_the_stderr_of_a_failure() {
    let lab = lab();
    lab.command(&["run", "story.toml", "--script", "hostile.sh", "--junit", "out.xml"])
        .assert()
        .code(1);
    let report = lab.read("out.xml");
    for text in [
        "<testsuite name=\"story.toml\" tests=\"2\"",
        "classname=\"story\"",
        "file=\"story.toml\" line=\"6\"",
        "type=\"parsability\"",
        "hint: dnsmasq reads every line",
        "<system-err>",
        "\\x1b[31mred",
    ] {
        assert!(report.contains(text), "{text} in {report}");
    }
}

#[test]
fn a_page_of_a_json_report_is_the_page_of_the_run() {
    let lab = lab();
    let words =
        ["run", "story.toml", "--script", "banner.sh", "--json", "out.json", "--html", "a.html"];
    lab.command(&words).assert().code(1);
    lab.command(&["report", "out.json"]).assert().code(0).stdout("out.html\n");
    lab.command(&["report", "out.json", "--html", "b.html"]).assert().code(0).stdout("b.html\n");
    assert_eq!(lab.read("out.html"), lab.read("a.html"));
    assert_eq!(lab.read("b.html"), lab.read("a.html"));
    let report: serde_json::Value = serde_json::from_str(&lab.read("out.json")).expect("JSON");
    assert_eq!((&report["schema"], &report["command"]), (&1.into(), &"run".into()));
    let case = report["failures"][0]["case"].as_str().expect("an example");
    assert!(report["timelines"][case]["events"].as_array().expect("events").len() > 5);
}

#[rstest]
#[case::crash(&["crash", "story.toml"], "Where power was cut")]
#[case::wear(
    &["wear", "--dialect", "openwrt", "--scripts", "naive,ours", "--for", "30d", "--no-limits"],
    "Life of the flash"
)]
fn other_commands_write_pages(#[case] words: &[&str], #[case] heading: &str) {
    let lab = lab();
    lab.command(words).args(["--json", "out.json", "--html", "a.html"]).assert().code(0);
    lab.command(&["report", "out.json"]).assert().code(0);
    assert_eq!(lab.read("out.html"), lab.read("a.html"));
    assert!(lab.read("a.html").contains(heading));
}

#[rstest]
#[case(
    "{}",
    "no report of leaselab: expected a file that --json of check, run, crash or wear has written"
)]
#[case("{\"schema\": 99, \"command\": \"run\"}", "its `schema` is 99, expected 1")]
#[case("[1,", "line 1 column 3")]
fn what_is_no_report_is_rejected_with_its_path(#[case] text: &str, #[case] message: &str) {
    let lab = lab();
    lab.write("x.json", text);
    let rejected = contains("error: x.json: ").and(contains(message));
    lab.command(&["report", "x.json"]).assert().code(2).stderr(rejected);
}
