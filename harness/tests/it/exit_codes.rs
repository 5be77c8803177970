//! The documented exit codes that other tests do not cover.

use std::fs::File;
use std::io::pipe;

use predicates::str::contains;
use rstest::rstest;

use crate::lab::Lab;

const SCENARIO: &str = "title = \"A boot\"\n[[step]]\nboot = {}\n";

#[test]
fn help_lists_the_exit_codes() {
    let table = "Exit codes:\n  0  all checks passed\n  1  a check failed\n  2  invalid arguments, an invalid or \
                 unreadable input, or an output that cannot be written\n  3  this machine lacks";
    let output = Lab::new().command(&["--help"]).output().expect("leaselab runs");
    let text = String::from_utf8_lossy(&output.stdout).replace("\n     ", " ");
    assert!(text.contains(table), "{text}");
}

#[rstest]
#[case::version(&["--version"])]
#[case::schema(&["schema"])]
#[case::run(&["run", "story.toml"])]
fn a_variable_of_the_script_proxy_changes_nothing(#[case] arguments: &[&str]) {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.command(arguments).env("LEASELAB_GATE", "/nowhere").assert().code(0);
}

#[rstest]
#[case::schema(&["schema"])]
#[case::run(&["run", "story.toml", "--target", "in-process"])]
#[case::races(&["races", "--race", "set+set"])]
#[case::leases(&["leases", "show", "dhcpd.leases"])]
fn a_failed_write_to_stdout_has_exit_code_3(#[case] arguments: &[&str]) {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("dhcpd.leases", "lease 10.0.0.1 {\n  starts never;\n  binding state free;\n}\n");
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_leaselab"))
        .args(arguments)
        .current_dir(lab.path())
        .stdout(full)
        .output()
        .expect("leaselab runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("error: cannot write to stdout: No space left"), "{message}");
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_leaselab"))
        .arg("schema")
        .stdout(writer)
        .output()
        .expect("leaselab runs");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[rstest]
#[case::device(&["device", "dump", "dev", "nowhere/flash.bin"], "nowhere/flash.bin")]
#[case::keep(&["run", "failing.toml", "--target", "in-process", "--keep", "story.toml"], "story.toml/failing")]
#[case::fuzz(&["fuzz", "--out", "story.toml"], "--out story.toml")]
#[case::stimuli(&["trace", "from-journal", "dhcpd.leases", "-o", "nowhere/out"], "nowhere/out")]
#[case::leases(&["leases", "convert", "dhcpd.leases", "--to", "json", "-o", "."], ".: is a folder")]
fn an_output_that_cannot_be_written_is_a_usage_error(
    #[case] arguments: &[&str],
    #[case] path: &str,
) {
    let lab = Lab::new();
    lab.write("story.toml", SCENARIO);
    lab.write("failing.toml", format!("{SCENARIO}expect = {{ leases = 7 }}\n"));
    lab.write("dhcpd.leases", "lease 10.0.0.1 {\n  starts never;\n  binding state free;\n}\n");
    lab.command(&["device", "create", "dev"]).assert().code(0);
    lab.command(arguments).assert().code(2).stderr(contains(path));
}
