//! Finds the generations of a journal in files, folders and archives.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::TraceError;

/// The journal between two rewrites.
#[derive(Debug, Clone)]
pub struct Generation {
    /// The path at which it was found.
    pub name: String,
    /// The contents.
    pub bytes: Vec<u8>,
}

/// Maximum size of a file in bytes.
const MAX_BYTES: u64 = 1 << 30;

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

/// A buffer of limited size.
struct BoundedBuffer(Vec<u8>);

impl Write for BoundedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.0.len() + bytes.len()) as u64 > MAX_BYTES {
            return Err(io::Error::other("more than 1 GiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn read(path: &Path, found: &mut Vec<Generation>) -> io::Result<()> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("more than 1 GiB"));
    }
    let name = path.display().to_string();
    let Some(inner) = name.strip_suffix(".xz") else {
        found.push(Generation { name, bytes });
        return Ok(());
    };
    let mut unpacked = BoundedBuffer(Vec::new());
    lzma_rs::xz_decompress(&mut &bytes[..], &mut unpacked)
        .map_err(|error| io::Error::other(format!("invalid .xz file: {error:?}")))?;
    if Path::new(inner).extension() != Some("tar".as_ref()) {
        found.push(Generation { name, bytes: unpacked.0 });
        return Ok(());
    }
    let mut members = Vec::new();
    let mut archive = tar::Archive::new(&unpacked.0[..]);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let member = format!("{name}/{}", entry.path()?.display());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        members.push(Generation { name: member, bytes });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    found.extend(members);
    Ok(())
}
