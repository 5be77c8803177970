//! What the commands have in common: help, colours, names, completions and manual pages.

use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

const SCENARIO: &str = "title = \"x\"\n[parameters]\nleases = [7, 8, 0]\n[[step]]\nboot = {}\n\
                        expect = { leases = \"$leases\" }\n";

#[rstest]
#[case::dialect(&["run", "story.toml", "--dialect", "tomatoe"], "'tomato'")]
#[case::one_of_two(&["run", "story.toml", "--dialect", "openwrt,padawan"], "'padavan'")]
#[case::chip(&["wear", "--chip", "spinor"], "'spi-nor'")]
#[case::chip_of_a_device(&["device", "create", "dev", "--chip", "slc_nand"], "'slc-nand'")]
#[case::script(&["wear", "--scripts", "nave"], "'naive'")]
#[case::race(&["races", "--race", "set+st"], "'set+set'")]
#[case::command(&["ruin"], "'run'")]
fn an_unknown_name_gets_a_suggestion(#[case] arguments: &[&str], #[case] name: &str) {
    let tip = predicate::str::contains("tip: ").and(predicate::str::contains(name));
    Lab::new().command(arguments).assert().code(2).stderr(tip);
}

#[rstest]
#[case::help(&["run", "--help"], "\u{1b}[1m\u{1b}[32mExamples:\u{1b}[0m")]
#[case::run(&["run", "story.toml", "--target", "in-process"], "\u{1b}[1m\u{1b}[31mFAIL ")]
#[case::error(&["run", "missing.toml"], "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m missing.toml")]
fn colours_are_printed_on_request_only(#[case] arguments: &[&str], #[case] coloured: &str) {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    let print = |color: &[&str], no_color: &str| {
        let words = [arguments, color].concat();
        let output = lab.command(&words).env("NO_COLOR", no_color).output().expect("leaselab runs");
        [output.stdout, output.stderr].concat()
    };
    let text = String::from_utf8(print(&["--color", "always"], "")).expect("UTF-8");
    assert!(text.contains(coloured), "{text:?}");
    // The options win over the variable. Without a terminal, there are no colours by default.
    assert!(print(&["--color=always"], "1").contains(&0x1b));
    for (color, no_color) in [(&["--color", "never"][..], ""), (&[], "1"), (&[], "")] {
        assert!(!print(color, no_color).contains(&0x1b), "{color:?} {no_color:?}");
    }
}

#[test]
fn list_prints_the_names_that_filter_accepts() {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    let all = "story[leases=7]\nstory[leases=8]\nstory[leases=0]\n";
    lab.command(&["run", "story.toml", "--list"]).assert().code(0).stdout(all);
    lab.command(&["live", "story.toml", "--list"]).assert().code(0).stdout(all);
    let one = ["run", "story.toml", "--list", "--filter", "leases=8"];
    lab.command(&one).assert().code(0).stdout("story[leases=8]\n");
}

#[test]
fn no_case_is_started_after_a_failure_with_fail_fast() {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    let words = ["run", "story.toml", "--target", "in-process", "-j", "1", "--json", "a.json"];
    lab.command(&words)
        .assert()
        .code(1)
        .stdout(predicate::str::ends_with("1 scenario: 1 case passed, 2 failed, 0 skipped\n"));
    let fast = [&words[..], &["--fail-fast"]].concat();
    lab.command(&fast).assert().code(1).stdout(predicate::str::ends_with(
        "2 cases not run, because one has failed (--fail-fast)\n1 scenario: 0 cases passed, 1 failed, 0 skipped\n",
    ));
    let json: serde_json::Value = serde_json::from_str(&lab.read("a.json")).expect("JSON");
    assert_eq!(json["scenarios"][0]["cases"].as_array().map(Vec::len), Some(1), "{json}");
}

#[rstest]
#[case("bash", "freshtomato-arm")]
#[case("elvish", "from-journal")]
#[case("fish", "freshtomato-arm")]
#[case("powershell", "from-journal")]
#[case("zsh", "freshtomato-arm")]
fn completions_name_commands_options_and_values(#[case] shell: &str, #[case] value: &str) {
    Lab::new().command(&["completions", shell]).assert().code(0).stdout(
        predicate::str::contains("from-journal")
            .and(predicate::str::contains("init-every-step"))
            .and(predicate::str::contains(value)),
    );
}

#[test]
fn a_completion_script_is_valid_in_bash() {
    let lab = Lab::new();
    lab.shell("leaselab completions bash >leaselab.bash && bash -n leaselab.bash").assert().code(0);
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let lab = Lab::new();
    lab.command(&["man"]).assert().code(0).stdout(
        predicate::str::contains(".TH leaselab 1").and(predicate::str::contains("Exit codes:")),
    );
    lab.command(&["man", "man1"]).assert().code(0).stdout("");
    for page in ["leaselab", "leaselab-run", "leaselab-qemu-run", "leaselab-wear-fleet"] {
        let text = lab.read(&format!("man1/{page}.1"));
        assert!(text.contains(&format!(".TH {page} 1")), "{text}");
    }
    assert!(lab.read("man1/leaselab-run.1").contains("leaselab run \\-\\-filter power\\-cut"));
    assert!(!lab.path().join("man1/leaselab-wear-help.1").exists());
    lab.command(&["man", "man1/leaselab.1"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("man1/leaselab.1: "));
}

#[rstest]
#[case::help("leaselab run --help")]
#[case::schema("leaselab schema")]
#[case::completions("leaselab completions bash")]
#[case::man("leaselab man")]
#[case::wear("leaselab wear --quiet --clients 1 --for 1d --no-limits")]
fn a_closed_pipe_ends_quietly(#[case] line: &str) {
    let lab = Lab::new();
    lab.shell(&format!("{{ {line}; echo \"exit $?\" >&2; }} | true"))
        .assert()
        .code(0)
        .stderr("exit 0\n");
}
