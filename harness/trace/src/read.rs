//! Reads recordings from their folders and from archives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::archive;
use super::error::TraceError;
use super::recording::Recording;

/// Maximum size of a file of a recording in bytes.
const MAX_FILE: u64 = 256 << 20;

/// The files of a recording.
const FILES: [&str; 3] = ["meta.json", "stimuli.jsonl", "calls.jsonl"];

impl Recording {
    /// Reads the recording in a folder.
    ///
    /// # Errors
    /// If a file is missing or does not contain JSON of the expected structure.
    pub fn read(folder: &Path) -> Result<Recording, TraceError> {
        let [meta, stimuli, calls] = FILES.map(|name| {
            let path = folder.join(name);
            archive::read_bounded(&path, MAX_FILE).map_err(|error| TraceError::Io { path, error })
        });
        Recording::parse(folder, &meta?, &stimuli?, &calls?)
    }

    /// Parses the files of a recording in `folder`: `meta.json`, `stimuli.jsonl` and `calls.jsonl`.
    ///
    /// # Errors
    /// If a file does not contain JSON of the expected structure.
    pub fn parse(
        folder: &Path,
        meta: &[u8],
        stimuli: &[u8],
        calls: &[u8],
    ) -> Result<Recording, TraceError> {
        let [meta_path, stimuli_path, calls_path] = FILES.map(|name| folder.join(name));
        Ok(Recording {
            folder: folder.to_owned(),
            meta: json(&meta_path, meta, 0)?,
            stimuli: lines(&stimuli_path, stimuli)?,
            calls: lines(&calls_path, calls)?,
        })
    }
}

/// Returns whether the path is an archive of recordings.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    path.is_file() && path.to_string_lossy().ends_with(".tar.xz")
}

/// Reads the recordings in a `.tar.xz` archive, sorted by path.
///
/// # Errors
/// If the archive cannot be read or unpacked, contains no recording, or contains one that [`Recording::read`] would
/// reject.
pub fn read_archive(path: &Path) -> Result<Vec<Recording>, TraceError> {
    let io = |error| TraceError::Io { path: path.to_owned(), error };
    let packed = archive::read_file(path).map_err(io)?;
    let members: BTreeMap<PathBuf, Vec<u8>> =
        archive::members(&packed).map_err(io)?.into_iter().collect();
    let mut recordings = Vec::new();
    for member in members.keys().filter(|member| member.ends_with(FILES[0])) {
        let inner = member.parent().unwrap_or(Path::new(""));
        let [meta, stimuli, calls] = FILES.map(|name| {
            members.get(&inner.join(name)).ok_or_else(|| TraceError::Io {
                path: path.join(inner).join(name),
                error: std::io::ErrorKind::NotFound.into(),
            })
        });
        recordings.push(Recording::parse(&path.join(inner), meta?, stimuli?, calls?)?);
    }
    if recordings.is_empty() {
        return Err(TraceError::NoRecording(path.to_owned()));
    }
    Ok(recordings)
}

fn json<T: DeserializeOwned>(
    path: &Path,
    text: &[u8],
    lines_before: usize,
) -> Result<T, TraceError> {
    serde_json::from_slice(text).map_err(|error| TraceError::Json {
        path: path.to_owned(),
        line: lines_before + error.line().max(1),
        column: error.column().max(1),
        message: {
            let full = error.to_string();
            full.rsplit_once(" at line ").map_or(full.clone(), |(what, _)| what.to_owned())
        },
    })
}

fn lines<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<Vec<T>, TraceError> {
    text.split(|&b| b == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| json(path, line, number))
        .collect()
}

/// The number of levels below a path that are searched for recordings.
const DEPTH: usize = 3;

/// Finds the folders of recordings: `path` itself, or folders up to three levels below it. They are sorted by path.
///
/// # Errors
/// If the path cannot be read or contains no recording.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, TraceError> {
    let mut found = Vec::new();
    collect(path, DEPTH, &mut found)?;
    if found.is_empty() {
        return Err(TraceError::NoRecording(path.to_owned()));
    }
    found.sort();
    Ok(found)
}

fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), TraceError> {
    if path.join("meta.json").is_file() || path.join("stimuli.jsonl").is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    let io = |error| TraceError::Io { path: path.to_owned(), error };
    for entry in std::fs::read_dir(path).map_err(io)? {
        let folder = entry.map_err(io)?.path();
        if depth > 0 && folder.is_dir() {
            collect(&folder, depth - 1, found)?;
        }
    }
    Ok(())
}
