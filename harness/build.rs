//! Embeds the scenario files, so that `leaselab run` works outside the repository, and sets how the executable is linked.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders without scenarios.
const WITHOUT_SCENARIOS: [&str; 2] = ["scripts", "traces"];

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).expect("cargo sets it");
    // Scripts start this executable as their `nvram` thousands of times. Without relocations, a start takes half as long.
    if variable("CARGO_CFG_TARGET_OS").as_os_str() == "linux"
        && variable("CARGO_CFG_TARGET_ENV").as_os_str() == "gnu"
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    let root = variable("CARGO_MANIFEST_DIR").join("../scenarios").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut text = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root).expect("a file in the folder").display().to_string();
        writeln!(text, "({name:?}, include_str!({:?})),", file.display().to_string())
            .expect("a string takes any text");
    }
    text.push_str("]\n");
    fs::write(variable("OUT_DIR").join("embedded_scenarios.rs"), text)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let has_scenarios =
            |name: &std::ffi::OsStr| WITHOUT_SCENARIOS.iter().all(|without| name != *without);
        if path.is_dir() {
            if path.file_name().is_some_and(has_scenarios) {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
