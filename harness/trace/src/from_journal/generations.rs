//! Finds the generations of a journal in files, folders and archives.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive;
use crate::error::TraceError;

/// The journal between two rewrites.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The path at which it was found.
    pub name: String,
    /// The contents.
    pub bytes: Vec<u8>,
}

impl Generation {
    /// Whether the file begins with a rewrite, as `new_lease_file` of server/db.c makes it.
    pub(super) fn is_rewritten(&self) -> bool {
        let head = &self.bytes[..self.bytes.len().min(512)];
        String::from_utf8_lossy(head).contains("# This lease file was written by ")
    }
}

/// Reads files, folders of generations, and `.xz` or `.tar.xz` archives of them, the oldest generation first.
///
/// In a folder, the generations are the files whose names begin with `gen`, or if there are none, those with `.leases` in
/// their names. They are sorted by name, except that `dhcpd.leases~` comes before `dhcpd.leases`.
///
/// # Errors
/// If something cannot be read, is larger than 1 GiB, or contains no generation.
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
    if files.iter().any(is_generation) {
        files.retain(is_generation);
    } else {
        files.retain(|path| name(path).contains(".leases"));
    }
    // The backup file with the tilde is older.
    files.sort_by_key(|path| (name(path).replace('~', ""), !name(path).contains('~')));
    Ok(files)
}

fn read(path: &Path, found: &mut Vec<Generation>) -> io::Result<()> {
    let bytes = archive::read_file(path)?;
    let name = path.display().to_string();
    let Some(inner) = name.strip_suffix(".xz") else {
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
