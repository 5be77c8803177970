//! The files that a script keeps in RAM, besides NVRAM: the contents of its `/tmp`.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::protocol::Octets;

/// File contents by name. Subfolders are ignored.
pub type RamFiles = BTreeMap<String, Vec<u8>>;

/// The entry of the scratch folder with the log of one call: one line before and one after each `nvram` command.
pub(super) const LOG: &str = "ram-files";

/// Maximum length of a recorded file in bytes. Longer files are truncated.
const MAX_BYTES: usize = 1 << 20;

/// Reads the files of a folder.
pub(super) fn read(folder: &Path) -> io::Result<RamFiles> {
    let mut files = RamFiles::new();
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

/// Writes files into a folder.
pub(super) fn write(folder: &Path, files: &RamFiles) -> io::Result<()> {
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// Appends the files of `folder` to the log of a call.
pub(super) fn append_to_log(log: &Path, folder: &Path) -> io::Result<()> {
    let files: BTreeMap<String, Octets> =
        read(folder)?.into_iter().map(|(name, bytes)| (name, Octets(bytes))).collect();
    let mut line = serde_json::to_vec(&files)?;
    line.push(b'\n');
    OpenOptions::new().append(true).create(true).open(log)?.write_all(&line)
}

/// Reads and removes the log of a call: the files before and after each command.
pub(super) fn take_log(log: &Path) -> Vec<(RamFiles, RamFiles)> {
    let text = fs::read_to_string(log).unwrap_or_default();
    _ = fs::remove_file(log);
    let all: Vec<RamFiles> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<BTreeMap<String, Octets>>(line).ok())
        .map(|files| files.into_iter().map(|(name, octets)| (name, octets.0)).collect())
        .collect();
    let (pairs, _) = all.as_chunks::<2>();
    pairs.iter().cloned().map(|[before, after]| (before, after)).collect()
}
