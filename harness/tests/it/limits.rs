//! Inputs and options that ask for more than a machine has.

use std::fs::{self, File};

use predicates::prelude::*;
use rstest::rstest;

use crate::lab::Lab;

#[rstest]
#[case::image("device load dev /dev/zero", "/dev/zero: larger than ")]
#[case::first_image("device create new --image /dev/zero", "/dev/zero: larger than ")]
#[case::backup("device create new --from /dev/zero", "/dev/zero: larger than ")]
#[case::fleet("wear merge /dev/zero", "/dev/zero: larger than ")]
#[case::key("trace import log --anonymise --key-file /dev/zero --out t", "/dev/zero: larger than ")]
#[case::log("trace import /dev/zero --out t", "/dev/zero: larger than ")]
#[case::document("report /dev/zero --html page.html", "/dev/zero: ")]
#[case::machine(
    "qemu run --arch mipsel --image log --machine /dev/zero",
    "/dev/zero: larger than "
)]
#[case::scenario("run /dev/zero", "/dev/zero")]
#[case::script("run story.toml --script /dev/zero", "/dev/zero: not a file")]
#[case::neighbours("device create new --neighbours 400MiB", "too small for its variables")]
#[case::large_nvram(
    "device create new --space 50MiB --neighbours 40MiB",
    "cannot fill the NVRAM with 41943040 bytes of variables: expected at most 1048576"
)]
#[case::large_partition("device create new --space 500MiB", "expected at most 67108864")]
#[case::partition("device create new --partition 10240MiB", "expected at most 1 GiB")]
#[case::jobs("run story.toml --jobs 100000", "--jobs must be at most 1024")]
fn what_has_no_end_is_refused(#[case] line: &str, #[case] message: &str) {
    let lab = Lab::new();
    lab.write("story.toml", "title = \"x\"\n[[step]]\nboot = {}\n");
    lab.write("log", "leaselab-record 1\n");
    lab.command(&["device", "create", "dev"]).assert().success();
    let words: Vec<&str> = line.split(' ').collect();
    lab.command(&words).assert().code(2).stderr(predicate::str::contains(message));
    assert!(!lab.path().join("new/device.toml").exists());
}

#[rstest]
#[case::descriptors("ulimit -n 64", 0, "")]
#[case::too_few_descriptors("ulimit -n 10", 3, "Too many open files")]
#[case::file_size("ulimit -f 8", 3, "files are limited to 4096 bytes (ulimit -f)")]
#[case::folder("mkdir gone; cd gone; rmdir ../gone", 0, "")]
#[case::variables("unset HOME TMPDIR TERM LANG", 0, "")]
#[case::locale("LC_ALL=nowhere; export LC_ALL", 0, "")]
fn few_resources_are_enough_or_named(
    #[case] limit: &str,
    #[case] code: i32,
    #[case] message: &str,
) {
    let lab = Lab::new();
    lab.write("story.toml", "title = \"x\"\n[[step]]\nboot = {}\n");
    let file = lab.path().join("story.toml");
    lab.shell(&format!("{limit}; leaselab run '{}' --target both", file.display()))
        .assert()
        .code(code)
        .stderr(predicate::str::contains(message));
}

/// 17 times 16 MiB in 43 KB, as a journal, and as a file in an archive.
#[test]
fn a_packed_file_that_unpacks_to_very_much_is_refused() {
    let lab = Lab::new();
    let zeros = include_bytes!("../data/zeros-16mib.xz").repeat(17);
    let header = include_bytes!("../data/large-member.tar-header.xz");
    lab.write("bomb.leases.xz", &zeros).write("bomb.tar.xz", [header, &zeros[..]].concat());
    refuse_large(&lab, "trace check", "bomb.tar.xz");
    refuse_large(&lab, "trace from-journal", "bomb.leases.xz");
}

fn refuse_large(lab: &Lab, command: &str, name: &str) {
    let words: Vec<&str> = command.split(' ').chain([name]).collect();
    lab.command(&words)
        .assert()
        .code(2)
        .stderr(predicate::str::contains(name).and(predicate::str::contains("more than 256 MiB")));
}

#[rstest]
#[case(&["--help"])]
#[case(&["--version"])]
#[case(&["run", "--help"])]
#[case(&["schema"])]
#[case(&["device", "dialects"])]
#[case(&["run", "story.toml", "--target", "in-process"])]
#[case(&["wear", "--list-routers"])]
fn a_full_stdout_is_an_error_of_the_environment(#[case] words: &[&str]) {
    let lab = Lab::new();
    lab.write("story.toml", "title = \"x\"\n[[step]]\nboot = {}\n");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_leaselab"));
    command.args(words).current_dir(lab.path());
    command.stdout(File::options().write(true).open("/dev/full").expect("a device"));
    let output = command.output().expect("leaselab runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("cannot write to stdout: No space left on device"), "{message}");
}

#[test]
fn a_device_is_not_created_over_files_of_others() {
    for name in ["flash.bin", "staging", "device.toml", "wear", "ops.log"] {
        let lab = Lab::new();
        lab.write(&format!("dev/{name}"), "precious");
        lab.command(&["device", "create", "dev"])
            .assert()
            .code(2)
            .stderr(predicate::str::contains(format!("cannot create dev/{name}: ")));
        assert_eq!(lab.read(&format!("dev/{name}")), "precious");
        assert_eq!(fs::read_dir(lab.path().join("dev")).expect("a folder").count(), 1);
    }
    let lab = Lab::new();
    lab.write("victim", "precious");
    fs::create_dir(lab.path().join("dev")).expect("a folder");
    std::os::unix::fs::symlink("../victim", lab.path().join("dev/flash.bin")).expect("a link");
    lab.command(&["device", "create", "dev"]).assert().code(2);
    assert_eq!(lab.read("victim"), "precious");
}

/// A name with commands to the terminal: the title of the window, colours, a cleared screen.
#[test]
fn names_of_files_cannot_control_the_terminal() {
    let lab = Lab::new();
    let name = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\u{fffe}\r.toml";
    lab.write(name, "title = \"x\"\n[[step]]\nboot = {}\nexpect = { leases = 7 }\n");
    let words = ["run", ".", "--target", "in-process", "--verbose", "--color", "always"];
    for words in [&words[..], &["run", name, "--list"], &["run", "missing\u{1b}[2J\r.toml"]] {
        let output = lab.command(words).output().expect("leaselab runs");
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            let is_command = |rest: &str| {
                let style = rest.trim_start_matches(|c: char| matches!(c, '0'..='9' | ';'));
                rest.starts_with(['\u{7}', '\u{9b}', '\r']) || !style.starts_with('m')
            };
            assert!(!text.contains(['\u{7}', '\u{9b}', '\r']), "{text:?}");
            assert!(!text.contains("\u{1b}]"), "{text:?}");
            assert!(!text.split("\u{1b}[").skip(1).any(is_command), "{text:?}");
        }
    }
}
