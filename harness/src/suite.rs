//! Loads the cases of files and folders, and selects among them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::builtin;
use crate::error::CommandError;
use scenario::{self, Case, ImposedSetting, Loaded, MAX_FILE_BYTES, Overrides, Unsuited};

/// Folders nested deeper than this are not searched.
const MAX_DEPTH: usize = 16;

/// One of several parts of the cases, which have equal numbers of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The number of the part, from 1.
    pub index: usize,
    /// The number of parts.
    pub count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once('/')
            .and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)))
            .filter(|(index, count)| (1..=*count).contains(index))
            .map(|(index, count)| Self { index, count })
            .ok_or_else(|| format!("invalid shard \"{text}\": expected I/N, for example 1/3"))
    }
}

/// The cases of files and folders, and those that the options leave out.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// The cases, those of one file together.
    pub cases: Vec<Case>,
    /// Cases that make no sense with the script or the dialect of the command line.
    pub unsuited: Vec<Unsuited>,
}

/// Reads the cases of files and folders, in the order of their paths. A path that begins with `builtin:` is that of an
/// embedded scenario.
///
/// # Errors
/// A path that cannot be read, an invalid scenario, a folder without scenarios.
pub fn load(paths: &[PathBuf], overrides: &Overrides) -> Result<Suite, CommandError> {
    let mut suite = Suite::default();
    for path in paths {
        if let Some(files) = builtin::files(path) {
            if files.is_empty() {
                return Err(CommandError::file(path, "no embedded scenario has this path"));
            }
            for (file, text) in files {
                suite.add(scenario::load(&file, text.to_owned(), overrides)?);
            }
            continue;
        }
        let mut files = Vec::new();
        collect(path, 0, &mut files)?;
        if files.is_empty() {
            return Err(CommandError::file(path, "no scenario (*.toml) in this folder"));
        }
        for file in files {
            suite.add(scenario::load(&file, read(&file)?, overrides)?);
        }
    }
    Ok(suite)
}

impl Suite {
    fn add(&mut self, loaded: Loaded) {
        self.unsuited.extend(loaded.unsuited);
        for case in loaded.cases {
            match reason_to_leave_out(&case) {
                Some(why) => {
                    let (path, name) = (case.source.path.clone(), case.name());
                    self.unsuited.push(Unsuited { path, name, why });
                }
                None => self.cases.push(case),
            }
        }
    }

    /// Keeps the cases that match a filter and belong to a shard.
    ///
    /// A filter is a part of the case's name, or one of its tags.
    pub fn select(&mut self, filter: Option<&str>, shard: Option<Shard>) {
        if let Some(text) = filter {
            self.cases.retain(|case| {
                case.name().contains(text) || case.scenario.tags.iter().any(|tag| tag == text)
            });
            self.unsuited.retain(|unsuited| unsuited.name.contains(text));
        }
        if let Some(Shard { index, count }) = shard {
            let mut number = 0;
            self.cases.retain(|_| {
                number += 1;
                number % count == index % count
            });
        }
    }

    /// How many scenarios apply, for example `51 of 108 scenarios apply`; `None` if nothing is left out.
    pub fn summary(&self) -> Option<String> {
        let apply: BTreeSet<&Path> =
            self.cases.iter().map(|case| case.source.path.as_path()).collect();
        let mut all: BTreeSet<&Path> = self.unsuited.iter().map(|one| one.path.as_path()).collect();
        if all.is_empty() {
            return None;
        }
        all.extend(&apply);
        let left_out = self.unsuited.len();
        let cases = if left_out == 1 { "case is" } else { "cases are" };
        Some(format!(
            "{} of {} scenarios apply, {left_out} {cases} left out",
            apply.len(),
            all.len()
        ))
    }
}

/// Why a case cannot be run at all.
fn reason_to_leave_out(case: &Case) -> Option<String> {
    if let Some(file) = builtin::missing_file(case) {
        return Some(format!("it needs the file {file}, which is not embedded"));
    }
    case.imposed.iter().find_map(|setting| match setting {
        ImposedSetting::Dialect => runner::router(case).err().map(|error| {
            let dialect = case.scenario.router.dialect.get_ref();
            format!("its router does not exist with {dialect}: {}", error.message)
        }),
        ImposedSetting::Release => runner::check_server(case).err().map(|error| error.message),
    })
}

fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    let refuse = |error: std::io::Error| CommandError::file(path, error);
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

/// Reads a TOML file.
///
/// # Errors
/// A file that cannot be read, is too large or not UTF-8.
pub fn read(path: &Path) -> Result<String, CommandError> {
    let refuse = |why: String| CommandError::file(path, why);
    let file = fs::File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        refuse(format!("line {line}, column {column}: not UTF-8"))
    })
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
    fn a_shard_is_a_number_up_to_the_number_of_shards(
        #[case] text: &str,
        #[case] expected: Option<(usize, usize)>,
    ) {
        let shard: Result<Shard, _> = text.parse();
        assert_eq!(shard.ok().map(|shard| (shard.index, shard.count)), expected);
    }
}
