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
    lab.write("empty.sh", "");
    lab.write("plain.sh", "#!/bin/sh\nexit 0\n");
    let plain = lab.path().join("plain.sh");
    std::fs::set_permissions(&plain, Permissions::from_mode(0o644)).expect("permissions");
    for (script, message) in [
        ("windows.sh", "--script windows.sh: its lines end with CR LF"),
        ("plain.sh", "--script plain.sh: not executable: make it executable with chmod +x"),
        (".", "--script .: not a file"),
        ("empty.sh", "--script empty.sh: the file is empty"),
    ] {
        let words = [command, &["--script", script]].concat();
        lab.command(&words).assert().code(2).stderr(predicate::str::contains(message));
    }
    let words = [command, &["--script", "plain.sh", "--shell", " "]].concat();
    let message = "--shell <CMD>': expected a command, for example 'busybox ash'";
    lab.command(&words).assert().code(2).stderr(predicate::str::contains(message));
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

/// Only a call in the sandbox shows that the interpreter cannot be run. The command must end there, without a verdict.
#[rstest]
#[case::unknown_applet(
    &["check", "mine.sh", "--shell", "busybox asch"],
    "mine.sh: `busybox asch` of --shell cannot run even an empty script: exit code 127: asch: applet not found\n"
)]
#[case::no_program(
    &["check", "mine.sh", "--shell", "no-such-shell"],
    "mine.sh: cannot start `no-such-shell`, which runs it: No such file or directory (os error 2)\n"
)]
#[case::unknown_option(
    &["run", "builtin:conformance", "--script", "mine.sh", "--shell", "bash --no-such-option"],
    "mine.sh: `bash --no-such-option` of --shell cannot run even an empty script: exit code 2: "
)]
#[case::first_line(
    &["crash", "builtin:conformance/atomic", "--script", "env.sh"],
    "env.sh: `/usr/bin/env no-such-shell` of its first line cannot run even an empty script: exit code 127: "
)]
#[case::no_first_line(
    &["check", "garbage"],
    "garbage: Exec format error (os error 8): expected a program of this machine, or a script that begins with"
)]
fn a_script_whose_interpreter_does_not_start_is_an_error_at_once(
    #[case] command: &[&str],
    #[case] message: &str,
) {
    let lab = Lab::new();
    lab.write("mine.sh", "#!/bin/sh\nexit 0\n");
    lab.write("env.sh", "#!/usr/bin/env no-such-shell\nexit 0\n");
    lab.write("garbage", [0, 1, 2, 3]);
    let garbage = lab.path().join("garbage");
    std::fs::set_permissions(&garbage, Permissions::from_mode(0o755)).expect("permissions");
    let output = lab.command(command).output().expect("leaselab runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(&format!("error: {message}")), "{stderr}");
    assert_eq!(stderr.matches("error: ").count(), 1, "{stderr}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{output:?}");
}

#[test]
fn a_script_that_fails_is_no_error_of_its_interpreter() {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("fails.sh", "no-such-command\n");
    let command = ["run", "story.toml", "--script", "fails.sh", "--shell", "sh"];
    lab.command(&command).assert().code(1).stdout(predicate::str::contains("init exited with 127"));
}
