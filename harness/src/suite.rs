//! Which cases to run: files, folders, filters, shards.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::cli::Failure;
use scenario::{self, Case, MAX_FILE_BYTES, Overrides};

/// Folders are searched no deeper than this.
const MAX_DEPTH: usize = 16;

/// One of several equal parts of the cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once('/')
            .and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)))
            .filter(|(index, count)| (1..=*count).contains(index))
            .map(|(index, count)| Self { index, count })
            .ok_or_else(|| format!("`{text}` is no part: write 1/3, 2/3 or 3/3"))
    }
}

/// Reads the cases of files and folders, in the order of their paths.
///
/// # Errors
/// A path that cannot be read, a file that makes no sense, a folder without scenarios.
pub fn load(paths: &[PathBuf], overrides: &Overrides) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for path in paths {
        let mut files = Vec::new();
        collect(path, 0, &mut files)?;
        if files.is_empty() {
            return Err(Failure::Input(format!("{}: no scenario (*.toml) in it", path.display())));
        }
        for file in files {
            cases.extend(scenario::cases(&file, read(&file)?, overrides)?);
        }
    }
    Ok(cases)
}

fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let refuse = |error: std::io::Error| Failure::Input(format!("{}: {error}", path.display()));
    if !fs::metadata(path).map_err(refuse)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Ok(());
    }
    let entries: Result<Vec<_>, _> = fs::read_dir(path).map_err(refuse)?.collect();
    let mut entries: Vec<PathBuf> =
        entries.map_err(refuse)?.into_iter().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|extension| extension == "toml") {
            collect(&entry, depth + 1, files)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    let refuse = |why: String| Failure::Input(format!("{}: {why}", path.display()));
    let file = fs::File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse(format!("larger than {MAX_FILE_BYTES} bytes: no scenario")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        refuse(format!("line {line}, column {column}: not UTF-8"))
    })
}

/// Keeps the cases that a filter fits and a shard holds.
pub fn narrow(cases: &mut Vec<Case>, filter: Option<&str>, shard: Option<Shard>) {
    if let Some(text) = filter {
        cases.retain(|case| {
            case.name().contains(text) || case.scenario.tags.iter().any(|tag| tag == text)
        });
    }
    if let Some(Shard { index, count }) = shard {
        let mut number = 0;
        cases.retain(|_| {
            number += 1;
            number % count == index % count
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1/1", Some((1, 1)))]
    #[case("2/3", Some((2, 3)))]
    #[case("0/3", None)]
    #[case("4/3", None)]
    #[case("a/b", None)]
    #[case("1", None)]
    fn shards(#[case] text: &str, #[case] expected: Option<(usize, usize)>) {
        let shard: Result<Shard, _> = text.parse();
        assert_eq!(shard.ok().map(|shard| (shard.index, shard.count)), expected);
    }
}
