//! Scripts that cannot be run are rejected with the reason.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

const SCENARIO: &str = "title = \"A boot\"\n[[step]]\nboot = {}\n";

#[rstest]
#[case::run(&["run", "story.toml"])]
#[case::crash(&["crash", "story.toml"])]
#[case::fuzz(&["fuzz", "--cases", "1"])]
#[case::wear(&["wear", "--for", "1d", "--no-limits"])]
fn a_script_with_windows_line_ends_or_without_the_run_bit_is_rejected(#[case] command: &[&str]) {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("windows.sh", "#!/bin/sh\r\nexit 0\r\n");
    lab.write("plain.sh", "#!/bin/sh\nexit 0\n");
    let plain = lab.path().join("plain.sh");
    std::fs::set_permissions(&plain, Permissions::from_mode(0o644)).expect("permissions");
    for (script, message) in [
        ("windows.sh", "--script windows.sh: its lines end with CR LF"),
        ("plain.sh", "--script plain.sh: not executable: make it executable with chmod +x"),
        (".", "--script .: not a file"),
    ] {
        let words = [command, &["--script", script]].concat();
        lab.command(&words).assert().code(2).stderr(predicate::str::contains(message));
    }
    let words = [command, &["--script", "windows.sh", "--shell", "sh"]].concat();
    lab.command(&words).assert().code(2).stderr(predicate::str::contains("CR LF"));
}

#[test]
fn a_script_without_the_run_bit_can_be_run_by_a_shell() {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("plain.sh", "exit 0\n");
    lab.command(&["run", "story.toml", "--script", "plain.sh", "--shell", "sh"]).assert().code(0);
}

#[test]
fn a_script_of_a_scenario_that_cannot_be_run_is_rejected_at_its_place() {
    let lab = Lab::new();
    lab.write("story.toml", "title = \"x\"\n[script]\nuse = \"mine.sh\"\n[[step]]\nboot = {}\n");
    lab.write("mine.sh", "#!/bin/sh\r\nexit 0\r\n");
    lab.command(&["run", "story.toml"]).assert().code(2).stdout(
        predicate::str::contains("mine.sh: its lines end with CR LF")
            .and(predicate::str::contains("story.toml:3:7")),
    );
}
