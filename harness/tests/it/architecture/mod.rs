//! The rules of ARCHITECTURE.md that can be checked in the source.

mod cycles;
mod dependencies;
mod modules;
mod unsafe_blocks;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use cycles::cycles;
use modules::{ModulePath, Modules};

/// A crate of the workspace.
struct Package {
    name: String,
    folder: PathBuf,
    /// Crates of the workspace that it depends on, tests and build scripts left out.
    dependencies: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The crates of the workspace, as cargo sees them.
fn packages() -> Vec<Package> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON of cargo");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let names: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    packages
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            folder: Path::new(&text(&package["manifest_path"]))
                .parent()
                .expect("a manifest lies in a folder")
                .to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| names.contains(name))
                .collect(),
        })
        .collect()
}

/// The table of ARCHITECTURE.md: `` | `crate` | `dependency`, … | what it does | ``.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let section = text.split("\n## ").find(|section| section.starts_with("Crates"));
    let code = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    section
        .expect("a section `Crates` in ARCHITECTURE.md")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').collect();
            let name = code(cells[1]).into_iter().next().expect("the name of a crate");
            (name, code(cells[2]))
        })
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_documented() {
    let actual: BTreeMap<String, BTreeSet<String>> =
        packages().into_iter().map(|package| (package.name, package.dependencies)).collect();
    assert_eq!(actual, documented(), "left: Cargo.toml; right: the table of ARCHITECTURE.md");
    assert_eq!(cycles(&actual), Vec::<Vec<String>>::new());
}

#[test]
fn modules_of_a_crate_do_not_use_each_other_in_a_cycle() {
    let mut found = Vec::new();
    for package in packages() {
        let lib = package.folder.join("src/lib.rs");
        let edges = Modules::read(&lib).edges();
        let mut report = |level: &str, edges: &BTreeMap<ModulePath, BTreeSet<ModulePath>>| {
            for group in cycles(edges) {
                found.push(format!("{}, {level}:", package.name));
                for node in &group {
                    let inside =
                        edges[node].iter().filter(|to| group.contains(to)).map(|to| to.join("::"));
                    let inside: Vec<String> = inside.collect();
                    found.push(format!("  {} uses {}", node.join("::"), inside.join(", ")));
                }
            }
        };
        report("files", &edges);
        let depth = edges.keys().map(Vec::len).max().unwrap_or(0);
        for level in 1..depth {
            report("folders", &folders(&edges, level));
        }
    }
    assert!(found.is_empty(), "cycles between modules:\n{}", found.join("\n"));
}

/// The same edges between modules of one depth, each with all that is below it.
fn folders(
    edges: &BTreeMap<ModulePath, BTreeSet<ModulePath>>,
    level: usize,
) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
    let mut merged: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
    for (from, targets) in edges.iter().filter(|(from, _)| from.len() >= level) {
        let from = from[..level].to_vec();
        let targets = targets.iter().filter(|to| to.len() >= level).map(|to| to[..level].to_vec());
        merged.entry(from.clone()).or_default().extend(targets.filter(|to| *to != from));
    }
    merged
}

/// What only the command line may do.
const PRINTING: [&str; 5] = ["println!", "print!(", "eprint", "anstream::", "dbg!"];

#[test]
fn nothing_sleeps_and_only_the_command_line_prints() {
    let mut found = Vec::new();
    for package in packages() {
        let is_forbidden = |code: &str| {
            let prints = || PRINTING.iter().any(|text| code.contains(text));
            code.contains("sleep(") || (package.name != "leaselab" && prints())
        };
        for file in Modules::read(&package.folder.join("src/lib.rs")).files() {
            let name = file.strip_prefix(&package.folder).unwrap_or(file).display().to_string();
            let text = fs::read_to_string(file).expect("a source file");
            for (number, line) in text.lines().enumerate() {
                if is_forbidden(line.split("//").next().unwrap_or_default()) {
                    found.push(format!("{} {name}:{}: {}", package.name, number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
