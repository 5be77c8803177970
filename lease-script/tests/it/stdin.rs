//! An `nvram` tool that reads standard input consumes neither the input of the caller nor the intent log.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rstest::rstest;

use crate::support::Implementation;
use crate::support::Implementation::{Ash, Bash, Dash, Executable};

/// A tool that reads standard input to its end and keeps each variable in a file.
const TOOL: &str = r#"#!/bin/sh
cat >/dev/null
cd "$NVRAM_FILES" || exit 1
case $1 in
get) cat "$2" 2>/dev/null ;;
set) printf '%s\n' "${2#*=}" >"${2%%=*}" ;;
unset) rm -f "$2" ;;
show)
	for name in *; do
		[ ! -f "$name" ] || printf '%s=%s\n' "$name" "$(cat "$name")"
	done
	;;
commit) echo commit >>"$NVRAM_LOG" ;;
esac
"#;

const RECORD: &str = "1700000000 02:aa:00:00:00:01 192.168.1.1 * *";

#[rstest]
fn a_tool_that_reads_stdin_consumes_neither_the_callers_input_nor_the_intent_log(
    #[values(Executable, Ash, Dash, Bash)] on: Implementation,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("files")).expect("a directory");
    fs::write(path("nvram"), TOOL).expect("the tool");
    fs::set_permissions(path("nvram"), fs::Permissions::from_mode(0o755)).expect("its mode");
    fs::write(path("files/dnsmasq_lease_192.168.1.1"), format!("{RECORD}\n")).expect("a variable");
    fs::create_dir(path(".dnsmasq_lease_run")).expect("a folder");
    fs::write(path(".dnsmasq_lease_run/intents"), "999999998.1\n999999999.1\n")
        .expect("an intent log");

    let script = on.command().expect("a program");
    let words = [script.get_program()].into_iter().chain(script.get_args());
    let mut command = Command::new("sh");
    // Prints the input that the script did not consume.
    command.args(["-c", "\"$@\" >/dev/null && cat", "sh"]).args(words);
    command.args(["old", "02:aa:00:00:00:01", "192.168.1.1"]);
    command
        .env("LEASE_NVRAM", path("nvram"))
        .env("LEASE_RUN", directory.path())
        .env("NVRAM_FILES", path("files"))
        .env("NVRAM_LOG", path("log"))
        .env("DNSMASQ_LEASE_EXPIRES", "1700000000")
        .stdin(Stdio::from(fs::File::open(input(&directory)).expect("the input")));
    let output = command.output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "input of the caller\n");
    assert_eq!(fs::read_to_string(path("log")).expect("a commit"), "commit\n");
}

fn input(directory: &tempfile::TempDir) -> std::path::PathBuf {
    let path = directory.path().join("input");
    fs::write(&path, "input of the caller\n").expect("a file");
    path
}
