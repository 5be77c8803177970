//! `leaselab run`: equal results on both targets, sandboxes, reports, shards.

use insta::assert_snapshot;
use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

const SCENARIO: &str = r#"
title = "Two leases and a reboot"
tags = ["reboot"]
[parameters]
rtc = ["good", "broken"]
[router]
rtc = "$rtc"
[script]
use = "SCRIPT"
[[step]]
boot = {}
[[step]]
join = { client = "pc", count = 2 }
[[step]]
power-cut = true
[[step]]
boot = {}
expect = { leases = 2, names = ["pc-1", "pc-2"] }
"#;

fn lab(script: &str) -> Lab {
    let lab = Lab::new();
    lab.write("stories/story.toml", SCENARIO.replace("SCRIPT", script));
    lab
}

#[test]
fn a_verbose_run_prints_each_call() {
    assert_snapshot!(lab("shell").transcript(&["run", "stories", "--verbose"]));
}

#[rstest]
fn both_targets_agree(#[values("shell", "rust", "naive")] script: &str) {
    let lab = lab(script);
    if script == "naive" {
        // It commits in every call, which both targets have to report.
        let story = lab.read("stories/story.toml");
        let breaks = "\n[[breaks]]\ninvariant = \"no-redundant-writes\"\nwhy = \"it commits in every call\"\n";
        lab.write("stories/story.toml", format!("{story}{breaks}"));
    }
    lab.command(&["run", "stories", "--target", "both"]).assert().code(0);
}

#[rstest]
fn the_script_runs_in_every_shell(#[values("dash", "bash", "busybox ash")] shell: &str) {
    lab("shell").command(&["run", "stories", "--shell", shell]).assert().code(0);
}

/// Needs unprivileged user namespaces: the test command skips it by name where there are none.
#[test]
fn a_sandbox_serves_a_script_that_names_nvram_absolutely() {
    let lab = lab("absolute.sh");
    let naive = include_str!("../../../scenarios/scripts/naive.sh");
    let absolute =
        naive.replace("\tnvram ", "\t/usr/sbin/nvram ").replace("\nnvram ", "\n/usr/sbin/nvram ");
    assert!(absolute.matches("/usr/sbin/nvram").count() >= 4, "{absolute}");
    lab.write("stories/absolute.sh", absolute);
    let story = lab.read("stories/story.toml");
    let breaks =
        "\n[[breaks]]\ninvariant = \"no-redundant-writes\"\nwhy = \"it commits in every call\"\n";
    lab.write("stories/story.toml", format!("{story}{breaks}"));
    lab.command(&["run", "stories"]).assert().code(0);
    assert!(!std::path::Path::new("/usr/sbin/nvram").exists(), "the machine was touched");
}

/// A clone may lie below /tmp, although scripts have a /tmp of their own.
#[test]
fn leaselab_may_lie_below_tmp() {
    let lab = lab("shell");
    let copy = tempfile::Builder::new().tempdir_in("/tmp").expect("a folder below /tmp");
    let leaselab = copy.path().join("leaselab");
    // Not `std::fs::copy`: a child that another test starts meanwhile would inherit the descriptor that writes the
    // copy, and as long as it has not executed its program, the copy cannot be executed ("Text file busy").
    let copied = std::process::Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_leaselab"))
        .arg(&leaselab)
        .status()
        .expect("cp runs");
    assert!(copied.success());
    assert_cmd::Command::new(&leaselab)
        .args(["run", "stories"])
        .current_dir(lab.path())
        .assert()
        .code(0);
}

#[test]
fn without_a_sandbox_a_script_that_names_nvram_absolutely_is_rejected() {
    let lab = lab("absolute.sh");
    lab.write("stories/absolute.sh", "#!/bin/sh\n/usr/sbin/nvram commit\n");
    lab.command(&["run", "stories", "--no-sandbox"]).assert().code(3).stderr(
        predicate::str::contains("names /usr/sbin/nvram")
            .and(predicate::str::contains("absolute.sh")),
    );
}

#[test]
fn without_a_sandbox_other_scripts_run_as_well() {
    lab("shell").command(&["run", "stories", "--no-sandbox"]).assert().code(0);
}

#[test]
fn the_shards_of_a_suite_add_up_to_the_suite() {
    let lab = lab("rust");
    let names = |arguments: &[&str]| {
        let mut all = vec!["run", "stories", "--target", "in-process", "--json", "report.json"];
        all.extend(arguments);
        lab.command(&all).assert().code(0);
        let report: serde_json::Value =
            serde_json::from_str(&lab.read("report.json")).expect("a JSON report");
        let cases = report["scenarios"][0]["cases"].as_array().expect("cases").clone();
        cases.iter().map(|case| case["name"].to_string()).collect::<Vec<_>>()
    };
    let whole = names(&[]);
    let parts = [names(&["--shard", "1/2"]), names(&["--shard", "2/2"])].concat();
    assert_eq!(whole.len(), 2);
    assert_eq!(whole, parts);
}

#[test]
fn a_failure_is_reported_and_its_files_are_kept() {
    let lab = lab("shell");
    let story = lab.read("stories/story.toml");
    lab.write("stories/story.toml", story.replace("leases = 2,", "leases = 7,"));
    lab.command(&["run", "stories", "--junit", "report.xml", "--keep", "kept", "--rtc", "good"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains(
            "reproduce: leaselab run stories/story.toml --filter 'stories/story[rtc=good]' \
             --verbose --rtc good\n",
        ));
    let output = lab.command(&["run", "stories", "--rtc", "good"]).output().expect("a run");
    let text = String::from_utf8(output.stdout).expect("text");
    let id = text.split("leaselab replay ").nth(1).and_then(|rest| rest.split_whitespace().next());
    lab.command(&["replay", id.expect("an id").trim_matches('\'')])
        .assert()
        .code(1)
        .stdout(predicate::str::contains("expected 7, found 2"));
    let junit = lab.read("report.xml");
    assert!(junit.contains(r#"failures="1""#), "{junit}");
    assert!(junit.contains("leases that init prints: expected 7, found 2"), "{junit}");
    let kept = "kept/stories_story_rtc=good_";
    assert!(lab.read(&format!("{kept}/findings.txt")).contains("expected 7, found 2"));
    assert!(lab.read(&format!("{kept}/calls.txt")).contains("add 02:aa:00:00:00:01"));
    let flash = std::fs::read(lab.path().join(kept).join("flash.bin")).expect("the flash");
    assert!(flash.windows(14).any(|window| window == b"dnsmasq_lease_"));
}

#[test]
fn rtc_on_the_command_line_selects_among_the_builds_of_the_scenario() {
    lab("rust")
        .command(&["run", "stories", "--target", "in-process", "--rtc", "broken"])
        .assert()
        .code(0)
        .stdout(predicate::str::contains("1 case passed"));
}

#[test]
fn the_checked_in_schema_is_up_to_date() {
    let schema = include_str!("../../../scenarios/scenario.schema.json");
    let now = scenario::json_schema();
    assert!(schema == now, "run: leaselab schema > scenarios/scenario.schema.json");
}

#[test]
fn a_device_folder_is_created_used_and_rebooted() {
    let lab = Lab::new();
    let device = |arguments: &[&str]| {
        let mut all = vec!["device"];
        all.extend(arguments);
        lab.transcript(&all)
    };
    let mut transcript = device(&["create", "dev", "--dialect", "broadcom", "--neighbours", "400"]);
    transcript += &device(&["create", "dev"]);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_leaselab"), lab.path().join("nvram"))
        .expect("a link");
    let nvram = |arguments: &[&str]| {
        let output = std::process::Command::new(lab.path().join("nvram"))
            .args(arguments)
            .env("NVRAM_EMU", lab.path().join("dev"))
            .output()
            .expect("nvram runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    nvram(&["set", "kept=1"]);
    nvram(&["commit"]);
    nvram(&["set", "lost=1"]);
    transcript += &device(&["show", "dev"]);
    transcript += &device(&["reboot", "dev"]);
    transcript +=
        &["kept=", &nvram(&["get", "kept"]), "lost=", &nvram(&["get", "lost"]), "\n"].concat();
    transcript += &device(&["dump", "dev", "flash.bin"]);
    transcript += &device(&["load", "dev", "flash.bin"]);
    transcript += &device(&["show", "nowhere"]);
    assert_snapshot!(transcript);
}
