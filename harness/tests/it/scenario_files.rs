//! Scenario files: `leaselab scenario`, the schema line of each file, and messages about mistakes.

use std::fs;
use std::path::{Path, PathBuf};

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::lab::Lab;

fn scenario_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of scenarios") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            scenario_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

/// Editors with TOML support find the schema by this line.
#[test]
fn the_first_line_of_every_scenario_names_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files = Vec::new();
    scenario_files(&root, &mut files);
    assert!(files.len() > 50, "{}", root.display());
    let wrong: Vec<String> = files
        .iter()
        .filter(|path| {
            let text = fs::read_to_string(path).expect("a scenario");
            let line = text.lines().next().unwrap_or_default();
            let schema = line.strip_prefix("#:schema ").unwrap_or_default();
            let named = path.parent().expect("a folder").join(schema);
            schema.is_empty() || !named.is_file()
        })
        .map(|path| path.display().to_string())
        .collect();
    assert!(
        wrong.is_empty(),
        "add a first line such as `#:schema ../scenario.schema.json` to {}",
        wrong.join(", ")
    );
}

#[test]
fn a_new_scenario_passes_and_is_never_overwritten() {
    let lab = Lab::new();
    let new = ["scenario", "new", "stories/first.toml"];
    lab.command(&new).assert().code(0).stdout(contains("wrote stories/first.toml"));
    assert!(lab.read("stories/scenario.schema.json").contains("urn:leaselab:scenario"));
    lab.command(&["run", "stories", "--target", "in-process"])
        .assert()
        .code(0)
        .stdout(contains("2 cases passed, 0 failed"));
    lab.command(&new)
        .assert()
        .code(2)
        .stderr(contains("stories/first.toml").and(contains("exists")));
    lab.command(&["scenario", "new", "first.txt"]).assert().code(2).stderr(contains(".toml"));
}

#[rstest]
#[case::key("[[step]]\njion = { client = 'pc' }", "unknown key `jion`", "did you mean `join`?")]
#[case::section(
    "[rooter]\nrtc = 'good'\n[[step]]\nboot = {}",
    "unknown key `rooter`",
    "did you mean `router`?"
)]
#[case::value(
    "[router]\nrtc = 'god'\n[[step]]\nboot = {}",
    "unknown value `god`",
    "did you mean `good`?"
)]
#[case::condition(
    "[parameters]\nbuild = ['a', 'b']\n[[step]]\nwhen = { build = 'c' }\nboot = {}",
    "`c` is not a value of the parameter `build`",
    "add it to"
)]
#[case::network(
    "[[network]]\nname = 'guests'\ninterface = 'br1'\nrange = '10.0.0.2-10.0.0.9'\n[[step]]\nboot = {}\n[[step]]\njoin = { client = 'pc', network = 'guest' }",
    "no network is named `guest`",
    "did you mean `guests`?"
)]
#[case::no_steps("[router]\nrtc = 'good'", "this scenario has no steps", "add a step")]
#[case::option(
    "[server]\noptions = ['--dhcp-relay=1.2.3.4,5.6.7.8']\n[[step]]\nboot = {}",
    "`--dhcp-relay=1.2.3.4,5.6.7.8` may change leases",
    ""
)]
#[case::path(
    "[[step]]\nboot = {}\n[[step]]\nfiles = { 'hosts' = 'x' }",
    "invalid path `hosts`",
    "absolute"
)]
fn a_mistake_is_one_error_with_its_place_and_a_suggestion(
    #[case] text: &str,
    #[case] message: &str,
    #[case] help: &str,
) {
    let lab = Lab::new();
    lab.write("a.toml", format!("title = 'x'\n{text}\n"));
    let output = lab.command(&["run", "a.toml", "--target", "in-process"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(2));
    let all = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    assert!(all.contains(message) && all.contains(help), "{all}");
    assert!(all.contains("a.toml:"), "{all}");
    assert_eq!(all.matches("error").count(), 1, "{all}");
}

/// Before the example of a step: two kinds of clients, and files that examples name.
const PRELUDE: &str = r#"title = "An example of the reference"
[parameters]
rtc = ["good", "broken"]
[router]
rtc = "$rtc"
files = { "/tmp/hosts" = '' }
[server]
options = ["--dhcp-hostsfile=/tmp/hosts"]
range6 = "fd00::100-fd00::1ff"
[[step]]
boot = {}
"#;
const CLIENTS: &str =
    "[[step]]\njoin = { client = \"phone\" }\n[[step]]\njoin = { client = \"guest\", count = 3 }\n";
const OFF: &str = "[[step]]\npower-cut = true\n";

/// The examples of steps in `docs/scenarios.md`, by key.
fn examples_of_steps() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scenarios.md");
    let text = fs::read_to_string(path).expect("the reference");
    let examples = text.split("\n### `").skip(1).filter_map(|part| {
        let (key, rest) = part.split_once('`')?;
        let example = rest.split("```toml\n").nth(1)?.split("```").next()?;
        // The examples of expectations are values.
        example.contains("[[step]]").then(|| (key.to_owned(), example.to_owned()))
    });
    examples.collect()
}

#[test]
fn the_examples_of_the_reference_can_be_played() {
    let examples = examples_of_steps();
    assert!(examples.len() > 30, "{examples:?}");
    let lab = Lab::new();
    for (key, example) in examples {
        let before = match key.as_str() {
            "boot" => [CLIENTS, OFF].concat(),
            // Two leases, for whatever the next boot is to find.
            "expect" => ["[[step]]\njoin = { client = \"pc\", count = 2 }\n", OFF].concat(),
            // They need a client that is new.
            "join" | "cut" | "kill" | "fail" => String::new(),
            _ => CLIENTS.to_owned(),
        };
        // The project's script changes no file that survives a power cut.
        let steps: Vec<&str> =
            example.split("\n\n").filter(|step| !step.contains("file change")).collect();
        lab.write(
            &format!("examples/{key}.toml"),
            [PRELUDE, &before, &steps.join("\n\n")].concat(),
        );
    }
    let journal = "lease 192.168.1.90 {\n  starts 1 2026/01/05 12:00:00;\n  ends 1 2026/01/05 18:00:00;\n  \
                   binding state active;\n  hardware ethernet 02:00:00:00:00:90;\n}\n";
    lab.write("examples/dhcpd.leases", journal);
    let run = ["run", "examples", "--target", "in-process"];
    lab.command(&run).assert().code(0).stdout(contains(" 0 failed, 0 skipped"));
}
