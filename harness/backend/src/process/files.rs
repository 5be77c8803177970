//! The files in RAM that a script keeps beside NVRAM: what lies below its `/tmp`.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::protocol::Octets;

/// Contents by name; folders are not looked into.
pub type Files = BTreeMap<String, Vec<u8>>;

/// More than this of one file is not kept.
const MAX_BYTES: usize = 1 << 20;

/// The files of a folder.
pub(super) fn read(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let mut bytes = fs::read(entry.path())?;
            bytes.truncate(MAX_BYTES);
            files.insert(entry.file_name().to_string_lossy().into_owned(), bytes);
        }
    }
    Ok(files)
}

/// Puts files into a folder.
pub(super) fn write(folder: &Path, files: &Files) -> io::Result<()> {
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// Appends the files of `folder` to the record of a call.
pub(super) fn note(record: &Path, folder: &Path) -> io::Result<()> {
    let files: BTreeMap<String, Octets> =
        read(folder)?.into_iter().map(|(name, bytes)| (name, Octets(bytes))).collect();
    let mut line = serde_json::to_vec(&files)?;
    line.push(b'\n');
    OpenOptions::new().append(true).create(true).open(record)?.write_all(&line)
}

/// The record of a call, in pairs: before and after each command.
pub(super) fn take_notes(record: &Path) -> Vec<(Files, Files)> {
    let text = fs::read_to_string(record).unwrap_or_default();
    _ = fs::remove_file(record);
    let all: Vec<Files> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<BTreeMap<String, Octets>>(line).ok())
        .map(|files| files.into_iter().map(|(name, octets)| (name, octets.0)).collect())
        .collect();
    let (pairs, _) = all.as_chunks::<2>();
    pairs.iter().cloned().map(|[before, after]| (before, after)).collect()
}
