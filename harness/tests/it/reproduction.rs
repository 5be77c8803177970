//! The printed commands reproduce the result when a shell runs them, also with options other than the defaults.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::lab::{COMMITS_FIRST, Lab};

/// A folder name that a shell splits or expands unless it is quoted.
const FOLDER: &str = "it's a $(folder)";

/// Fails at its last step: there are 2 leases.
const FAILING: &str = r#"
title = "Two leases"
[parameters]
mac = ["02:aa:00:00:00:10", "02:aa:00:00:00:20"]
[[step]]
boot = {}
[[step]]
join = { client = "$mac", mac = "$mac" }
[[step]]
join = { client = "phone" }
expect = { leases = 7 }
"#;

/// A lab with a failing scenario and a script, both in a folder with a strange name.
fn lab() -> (Lab, String, String) {
    let lab = Lab::new();
    let scenario = format!("{FOLDER}/story.toml");
    let script = format!("{FOLDER}/bad script.sh");
    lab.write(&scenario, FAILING).write(&script, COMMITS_FIRST);
    (lab, scenario, script)
}

#[rstest]
#[case::in_process(&["--target", "in-process", "--seed", "7", "--dialect", "broadcom", "--rtc", "broken"])]
#[case::journal(&["--store", "journal", "--target", "both"])]
#[case::shell(&["--shell", "busybox ash", "--timeout", "19", "--no-sandbox"])]
fn commands_of_run_reproduce_the_failure(#[case] options: &[&str]) {
    let (lab, scenario, _) = lab();
    let failure = "expected 7, found 2";
    let output = lab.command(&["run", &scenario]).args(options).assert().code(1);
    let commands = Lab::printed_commands(&output.get_output().stdout);
    assert_eq!(commands.len(), 2, "two commands for the example of equal failures: {commands:?}");
    for line in commands {
        lab.shell(&line).assert().code(1).stdout(contains(failure));
    }
}

#[test]
fn commands_of_run_with_an_external_script_reproduce_the_failure() {
    let (lab, scenario, script) = lab();
    let failure = "expected 7, found 2";
    let output = lab
        .command(&["run", &scenario, "--script", &script, "--shell", "sh -u"])
        .assert()
        .code(1)
        .stdout(contains(failure));
    for line in Lab::printed_commands(&output.get_output().stdout) {
        lab.shell(&line).assert().code(1).stdout(contains(failure));
    }
}

#[test]
fn commands_of_crash_reproduce_the_violations() {
    let (lab, scenario, script) = lab();
    let output = lab
        .command(&["crash", &scenario, "--filter", "10", "--script", &script, "--shell", "sh -u"])
        .args(["--timeout", "19", "--no-sandbox"])
        .assert()
        .code(1);
    let commands = Lab::printed_commands(&output.get_output().stdout);
    let is_of_a_cut = |line: &&String| line.contains("replay") && !line.contains(":run");
    for line in commands.iter().filter(is_of_a_cut).take(3) {
        lab.shell(line).assert().code(1).stdout(contains("durability").and(contains("broken")));
    }
}

#[test]
fn commands_of_fuzz_reproduce_the_failure() {
    let (lab, _, script) = lab();
    let output = lab
        .command(&["fuzz", "--script", &script, "--shell", "sh -u", "--timeout", "19"])
        .args(["--no-sandbox", "--cases", "4", "--events", "10", "--dialect", "openwrt"])
        .args(["--rtc", "good", "--seed", "2", "--out", FOLDER])
        .assert()
        .code(1);
    let commands = Lab::printed_commands(&output.get_output().stdout);
    assert_eq!(commands.len(), 2, "the household and the minimised scenario: {commands:?}");
    for line in &commands {
        lab.shell(line).assert().code(1);
    }
    // The file contains the same commands.
    let mut entries = std::fs::read_dir(lab.path().join(FOLDER)).expect("the folder");
    let name = entries.find_map(|entry| {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        name.starts_with("fuzz-2-").then_some(name)
    });
    let file = lab.read(&format!("{FOLDER}/{}", name.expect("a scenario")));
    for line in &commands {
        assert!(file.contains(line.as_str()), "{line}\n{file}");
    }
}

#[test]
fn commands_of_fuzz_with_the_naive_script_reproduce_the_failure() {
    let (lab, ..) = lab();
    let output = lab
        .command(&["fuzz", "--use", "naive", "--seed", "4", "--events", "30", "--cases", "4"])
        .args(["--dialect", "openwrt,broadcom", "--out", FOLDER])
        .assert()
        .code(1);
    for line in Lab::printed_commands(&output.get_output().stdout) {
        lab.shell(&line).assert().code(1);
    }
}

#[test]
fn commands_of_races_reproduce_the_losses() {
    let lab = Lab::new();
    let output = lab.command(&["races", "--race", "set+commit"]).assert().code(0);
    for line in Lab::printed_commands(&output.get_output().stdout) {
        lab.shell(&line).assert().code(1).stdout(contains("lost").or(contains("older settings")));
    }
}

#[rstest]
#[case(&["r1:set+commit:A3B10A4", "--seed", "3"], "--seed has no effect on the id r1:")]
#[case(&["c1:00000000:story.toml::1p", "--dnsmasq", "x"], "--dnsmasq has no effect on the id c1:")]
#[case(&["live:c1:00000000:story.toml::run", "--arch", "mipsel"], "--arch has no effect on the id live:")]
#[case(&["c1:00000000:story.toml::1p", "--store", "journal"], "--store has no effect on the id c1:")]
#[case(&["live:c1:00000000:story.toml::run", "--store", "journal"], "--store has no effect on the id live:")]
#[case(&["qemu:c1:00000000:story.toml::run", "--store", "journal"], "--store has no effect on the id qemu:")]
#[case(&["live:c1:00000000:story.toml::1p"], "an id with faults cannot begin with `live:`")]
#[case(&["qemu:hello"], "`hello`")]
fn an_option_without_effect_is_rejected(#[case] arguments: &[&str], #[case] why: &str) {
    Lab::new().command(&["replay"]).args(arguments).assert().code(2).stderr(contains(why));
}
