//! Finds the generations of a journal in files, folders and archives.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lease_formats::exchange::{Detected, Format, detect_format, kea};

use crate::archive;
use crate::error::TraceError;

/// Maximum size in bytes of all generations together.
const MAX_TOTAL: usize = 512 << 20;

/// The contents of a journal between two rewrites.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The path at which it was found.
    pub name: String,
    /// The contents.
    pub bytes: Vec<u8>,
}

impl Generation {
    /// Returns whether the file begins with a rewrite by `new_lease_file` of server/db.c.
    pub(super) fn is_rewritten(&self) -> bool {
        let head = &self.bytes[..self.bytes.len().min(512)];
        String::from_utf8_lossy(head).contains("# This lease file was written by ")
    }

    /// Returns whether the file is the result of a lease file cleanup of Kea.
    pub(super) fn is_cleaned_up(&self) -> bool {
        let (_, role) = kea::stem(OsStr::new(&self.name));
        matches!(role, kea::Role::Previous | kea::Role::Completed)
    }
}

/// Reads files, folders of generations, and `.xz` or `.tar.xz` archives of them. Returns the oldest generation first.
///
/// In a folder, the generations are the files whose names begin with `gen` or, if there are none, those with `.leases`
/// in their names. They are sorted by name, except that `dhcpd.leases~` comes before `dhcpd.leases`. If there are no
/// such files either, the generations are the memfiles of Kea, in the order in which it loads them.
///
/// # Errors
/// If a path cannot be read, if there is no generation, or if all generations together are larger than 512 MiB.
pub fn generations(paths: &[PathBuf]) -> Result<Vec<Generation>, TraceError> {
    let mut found = Vec::new();
    for path in paths {
        let refuse = |error| TraceError::Io { path: path.clone(), error };
        if path.is_dir() {
            for file in files_of_folder(path).map_err(refuse)? {
                read(&file, &mut found)
                    .map_err(|error| TraceError::Io { path: file.clone(), error })?;
            }
        } else {
            read(path, &mut found).map_err(refuse)?;
        }
    }
    if found.is_empty() {
        let path = paths.first().cloned().unwrap_or_default();
        let error = io::Error::other(
            "no journal found: expected files named gen… or with .leases in their names",
        );
        return Err(TraceError::Io { path, error });
    }
    Ok(found)
}

fn files_of_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_file() {
            files.push(entry.path());
        }
    }
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_generation = |path: &PathBuf| name(path).starts_with("gen");
    let is_journal = |path: &PathBuf| name(path).contains(".leases");
    if files.iter().any(is_generation) {
        files.retain(is_generation);
    } else if !files.iter().any(is_journal) {
        return Ok(memfiles(folder, &files));
    } else {
        files.retain(|path| name(path).contains(".leases"));
    }
    // The file with the tilde is a backup, so it is older.
    files.sort_by_key(|path| (name(path).replace('~', ""), !name(path).contains('~')));
    Ok(files)
}

/// Returns the memfiles of Kea among the files of a folder.
fn memfiles(folder: &Path, files: &[PathBuf]) -> Vec<PathBuf> {
    let stems: BTreeSet<OsString> =
        files.iter().filter_map(|path| Some(kea::stem(path.file_name()?).0)).collect();
    let exists = |name: &OsStr| folder.join(name).is_file();
    let names = stems
        .iter()
        .filter(|stem| Path::new(stem).extension() == Some("csv".as_ref()))
        .flat_map(|stem| kea::siblings(stem, exists));
    names.map(|name| folder.join(name)).collect()
}

/// Checks that the bytes can be a journal. Otherwise, other text would be taken for a journal without leases.
fn check_format(bytes: &[u8]) -> io::Result<()> {
    let head = &bytes[..bytes.len().min(64 * 1024)];
    match detect_format(head) {
        Detected::Known(Format::Dhcpd | Format::KeaCsv) => Ok(()),
        Detected::Known(other) => Err(io::Error::other(format!(
            "{other} is not a journal: expected dhcpd.leases or Kea's memfile"
        ))),
        Detected::Unknown(what) => {
            let what = what.unwrap_or("not a known lease database");
            Err(io::Error::other(format!("{what}: expected dhcpd.leases or Kea's memfile")))
        }
    }
}

/// Reads the generations in a file, and checks the total size of all generations.
fn read(path: &Path, found: &mut Vec<Generation>) -> io::Result<()> {
    add(path, found)?;
    let total: usize = found.iter().map(|generation| generation.bytes.len()).sum();
    if total > MAX_TOTAL {
        let why = format!("more than {} MiB with the files before it", MAX_TOTAL >> 20);
        return Err(io::Error::other(why));
    }
    Ok(())
}

fn add(path: &Path, found: &mut Vec<Generation>) -> io::Result<()> {
    let bytes = archive::read_file(path)?;
    let name = path.display().to_string();
    let Some(inner) = name.strip_suffix(".xz") else {
        check_format(&bytes)?;
        found.push(Generation { name, bytes });
        return Ok(());
    };
    if Path::new(inner).extension() != Some("tar".as_ref()) {
        found.push(Generation { name, bytes: archive::unpack_xz(&bytes)? });
        return Ok(());
    }
    let members = archive::members(&bytes)?;
    found.extend(members.into_iter().map(|(member, bytes)| {
        let name = format!("{name}/{}", member.display());
        Generation { name, bytes }
    }));
    Ok(())
}
