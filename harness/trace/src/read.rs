//! Reads recordings from their folders.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::TraceError;
use super::recording::Recording;

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// If a file is missing or does not contain JSON of the expected structure.
    pub fn read(folder: &Path) -> Result<Recording, TraceError> {
        let meta_path = folder.join("meta.json");
        let meta = json(&meta_path, &text(&meta_path)?, 0)?;
        Ok(Recording {
            folder: folder.to_owned(),
            meta,
            stimuli: lines(&folder.join("stimuli.jsonl"))?,
            calls: lines(&folder.join("calls.jsonl"))?,
        })
    }
}

fn text(path: &Path) -> Result<Vec<u8>, TraceError> {
    std::fs::read(path).map_err(|error| TraceError::Io { path: path.to_owned(), error })
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

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, TraceError> {
    text(path)?
        .split(|&b| b == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| json(path, line, number))
        .collect()
}

/// How deep recordings may lie below the path that is searched.
const DEPTH: usize = 3;

/// The folders of recordings: `path` itself, or the folders in it and in their folders, sorted by name.
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
