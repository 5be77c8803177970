//! One nasty string through every output of every command: as the name of a file, as a parameter, as text of a script and in
//! lease files, recordings and NVRAM.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;

use crate::lab::Lab;

/// Clears the screen, hides text, sets the title, forges a command of GitHub and a cell of a table, ends an XML section, and
/// has characters that are none, that turn the direction of text, and that are no UTF-8.
const NASTY: &[u8] =
    b"n\x1b[2J\x1b[8m\x1b]0;t\x07\n::error::forged\n\r\xc2\x9b31m\xef\xbf\xbe\xe2\x80\xae\
    <script>alert(1)]]>&\"'|`$(x)\xff";

/// The same as the name of a file that can be a name of Rust's `String`, too, where a command needs one.
fn named(ending: &str) -> OsString {
    OsString::from_vec([NASTY, ending.as_bytes()].concat())
}

/// The same in UTF-8, as a basic string of TOML or JSON.
fn quoted() -> String {
    let text = String::from_utf8_lossy(NASTY);
    let escapes: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{}\"", escapes.concat())
}

struct HostileLab(Lab);

impl HostileLab {
    fn new() -> Self {
        let lab = Self(Lab::new());
        let (nasty, quoted) = (NASTY, quoted());
        let story = format!(
            "title = {quoted}\nstory = {quoted}\n[parameters]\nit = [{quoted}]\n[router]\n\
             variables = {{ other = \"$it\" }}\n[[step]]\nboot = {{}}\nnote = {quoted}\n[[step]]\n\
             join = {{ client = \"$it\" }}\nexpect = {{ leases = 7 }}\n"
        );
        lab.write(&named(".toml"), story.as_bytes());
        let invalid = [b"title = \"x\"\n[router]\n", nasty, b" = 1\n"].concat();
        lab.write(&named("-invalid.toml"), &invalid);
        let unknown = format!("title = \"x\"\n[router]\ndialect = {quoted}\n{quoted} = 1\n");
        lab.write(&named("-unknown.toml"), unknown.as_bytes());
        let echo = [b"cat <<'EOT'\n", nasty, b"\nEOT\n"].concat();
        let script = [b"#!/bin/sh\n", &echo[..], b"exec >&2\n", &echo[..], b"exit 1\n"].concat();
        lab.write(&named(".sh"), &script);
        let fails = b"#!/bin/sh\nprintf '\\033[31mred\\001\\302\\233\\0' >&2\nexit 1\n";
        lab.write(OsStr::new("fails.sh"), fails);
        let leases = [
            b"lease 10.0.0.1 {\n  binding state active;\n  client-hostname \"",
            nasty,
            b"\";\n  set v = \"",
            nasty,
            b"\";\n  ",
            nasty,
            b";\n}\nhost \"",
            nasty,
            b"\" { }\n",
        ];
        lab.write(&named(".leases"), &leases.concat());
        let lines = [b"1795215600 02:00:00:00:00:07 10.0.0.1 a", nasty, b" *\n", nasty].concat();
        lab.write(&named(".dnsmasq"), &lines);
        let log = [b"leaselab-record 1\ncall ", nasty, b"\n"].concat();
        lab.write(&named(".log"), &log);
        lab.write(&named(".json"), format!("{{\"schema\": 1, \"command\": {quoted}}}").as_bytes());
        lab
    }

    fn write(&self, name: &OsStr, text: &[u8]) {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("a file");
        let mode = if text.starts_with(b"#!") { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    }

    /// Runs a command line, in which each `@` stands for the nasty string.
    fn run(&self, line: &str) -> Output {
        let words = line.split(' ').map(|word| match word.split_once('@') {
            Some((before, after)) => {
                OsString::from_vec([before.as_bytes(), NASTY, after.as_bytes()].concat())
            }
            None => OsString::from(word),
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_leaselab"));
        command.args(words).current_dir(self.0.path()).env_remove("CLICOLOR_FORCE");
        command.output().expect("leaselab runs")
    }
}

/// Everything below a folder that a command has written.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

fn check_text(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    // Colours of leaselab itself.
    let mut plain = text.to_owned();
    for style in ["0", "1", "2", "31", "32", "33", "34", "36", "91", "92", "94", "96"] {
        plain = plain.replace(&format!("\u{1b}[{style}m"), "");
    }
    let is_bad = |character: char| {
        (character.is_control() && !matches!(character, '\n' | '\t'))
            || matches!(character, '\u{fffe}' | '\u{ffff}' | '\u{202e}')
    };
    assert_eq!(plain.find(is_bad), None, "{what}: {plain:?}");
    let is_forged =
        |line: &str| line.trim_start().starts_with("::") && !line.starts_with("::error file=");
    assert_eq!(plain.lines().find(|line| is_forged(line)), None, "{what}: {plain:?}");
}

fn check_file(path: &Path) {
    let what = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = fs::read(path).expect("a file");
    check_text(&what, &bytes);
    let text = String::from_utf8_lossy(&bytes);
    match path.extension().and_then(OsStr::to_str) {
        Some("json") => {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            assert!(parsed.is_ok(), "{what}: {parsed:?}");
        }
        Some("xml" | "svg") => {
            assert!(!text.contains("]]>") && !text.contains("<script>"), "{what}: {text}");
        }
        Some("html") => assert!(!text.contains("<script>alert"), "{what}: {text}"),
        _ => {}
    }
}

#[rstest]
#[case::run(
    "run @.toml --verbose --annotate github --color always --junit o/a.xml --json o/a.json --html o/a.html --keep o/kept"
)]
#[case::run_script(
    "run @.toml --script @.sh --verbose --annotate github --color always --junit o/a.xml --json o/a.json --html o/a.html --keep o/kept"
)]
#[case::list("run . --list --color always")]
#[case::invalid(
    "run @-invalid.toml --color always --annotate github --junit o/a.xml --json o/a.json"
)]
#[case::unknown("run @-unknown.toml --color always --junit o/a.xml --json o/a.json")]
#[case::missing("run @/@.toml")]
#[case::filter("run @.toml --filter @")]
#[case::shell("run @.toml --script @.sh --shell @")]
#[case::options("run @.toml --dialect @ --shard @ --seed @")]
#[case::crash("crash @.toml --script @.sh --junit o/a.xml --json o/a.json --html o/a.html")]
#[case::crash_own("crash @.toml --depth 1 --json o/a.json --html o/a.html")]
#[case::check(
    "check @.sh --quick --annotate github --color always --junit o/a.xml --json o/a.json --html o/a.html"
)]
#[case::check_that_measures_no_life("check fails.sh --quick --json o/a.json --html o/a.html")]
#[case::fuzz("fuzz --script @.sh --cases 2 --color always")]
#[case::fuzz_out("fuzz --use naive --cases 8 --out o/@")]
#[case::replay("replay @")]
#[case::replay_case("replay c1:00000001:@.toml:it=@:run --verbose")]
#[case::replay_race("replay r1:set+set:@")]
#[case::leases("leases show @.leases --color always")]
#[case::leases_text("leases show @.leases --as text --json")]
#[case::leases_check("leases check @.leases")]
#[case::leases_stats("leases stats @.dnsmasq")]
#[case::leases_history("leases history @.leases")]
#[case::leases_diff("leases diff @.leases @.dnsmasq")]
#[case::leases_convert("leases convert --to kea-csv @.leases --lossy -o o/@")]
#[case::leases_compact("leases compact @.leases")]
#[case::leases_recover("leases recover @.leases --dry-run")]
#[case::leases_missing("leases show @-none.leases")]
#[case::from_journal("trace from-journal @.leases -o o/events --json o/a.json")]
#[case::trace_check("trace check @")]
#[case::trace_import("trace import @.log --out o/@")]
#[case::trace_replay("trace replay @ --script @.sh")]
#[case::wear_script(
    "wear --clients 2 --for 1d --script @.sh --json o/a.json --html o/a.html --csv o/a.csv --svg o/svg"
)]
#[case::wear_journal("wear --journal @.leases --svg o/svg")]
#[case::wear_trace("wear --trace @")]
#[case::wear_merge("wear merge @.json")]
#[case::report("report @.json --html o/a.html")]
#[case::device_create("device create o/@ --from @.json")]
#[case::device_load("device load @ @.json")]
#[case::device_show("device show @")]
#[case::scenario_new("scenario new @.txt")]
#[case::init("init @.sh --ci @")]
#[case::man("man @.toml")]
#[case::qemu("qemu run --arch mipsel --image @ --machine @.json @.toml")]
#[case::races("races @")]
#[case::command("@")]
fn no_output_passes_on_a_nasty_string(#[case] line: &str) {
    let lab = HostileLab::new();
    let out = lab.0.path().join("o");
    fs::create_dir(&out).expect("a folder");
    let output = lab.run(line);
    assert!(output.status.code().is_some_and(|code| code <= 3), "{line}: {output:?}");
    check_text(&format!("stdout of {line}"), &output.stdout);
    check_text(&format!("stderr of {line}"), &output.stderr);
    for path in files(&out) {
        // Formats of other programs, in which the bytes stay what they are; the flash and files of a router.
        let is_exact = path.components().any(|part| {
            let name = part.as_os_str().as_bytes();
            name.starts_with(NASTY)
                || ["scenario.toml", "flash.bin", "staging", "files", "files-in-ram", "events"]
                    .iter()
                    .any(|exact| name == exact.as_bytes())
        });
        if !is_exact {
            check_file(&path);
        }
    }
}

/// A variable with the nasty string as its value, and in a recording.
#[test]
fn device_and_recording_with_a_nasty_string_are_shown_escaped() {
    let lab = HostileLab::new();
    assert!(lab.run("device create dev").status.success());
    let tool = lab.0.path().join("nvram");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_leaselab"), &tool).expect("a link");
    for name in [&b"plain="[..], b"a"] {
        let word = OsString::from_vec([name, NASTY, b"=1"].concat());
        let mut command = Command::new(&tool);
        command.arg("set").arg(word).env("NVRAM_EMU", lab.0.path().join("dev"));
        _ = command.output().expect("nvram runs");
    }
    let recording =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/traces/wear_20.no-rtc");
    fs::create_dir(lab.0.path().join("trace")).expect("a folder");
    for name in ["meta.json", "stimuli.jsonl", "calls.jsonl"] {
        let text = fs::read_to_string(recording.join(name)).expect("a recording");
        let text = text.replacen("\"02:", &format!("{}, \"02:", quoted()), 3);
        fs::write(lab.0.path().join("trace").join(name), text).expect("a file");
    }
    for line in ["device show dev", "trace check trace", "trace replay trace", "wear --trace trace"]
    {
        let output = lab.run(line);
        check_text(&format!("stdout of {line}"), &output.stdout);
        check_text(&format!("stderr of {line}"), &output.stderr);
    }
}
