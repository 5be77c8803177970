//! The log of the files that a script keeps in RAM, besides NVRAM.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use sandbox::{FileTree, read_plain};

/// The entry of the scratch folder with the log of one call: one line before and one after each `nvram` command.
pub(super) const LOG: &str = "ram-files";

/// How much of a log is read, in bytes.
const MAX_LOG: usize = 256 << 20;

/// Appends the files of `folder` to the log of a call.
pub(super) fn append_to_log(log: &Path, folder: &Path) -> io::Result<()> {
    let mut line = serde_json::to_vec(&FileTree::read(folder)?)?;
    line.push(b'\n');
    OpenOptions::new().append(true).create(true).open(log)?.write_all(&line)
}

/// Reads and removes the log of a call: the files before and after each command.
pub(super) fn take_log(log: &Path) -> Vec<(FileTree, FileTree)> {
    let text = read_plain(log, MAX_LOG).unwrap_or_default();
    _ = fs::remove_file(log);
    let all: Vec<FileTree> = text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let (pairs, _) = all.as_chunks::<2>();
    pairs.iter().cloned().map(|[before, after]| (before, after)).collect()
}
