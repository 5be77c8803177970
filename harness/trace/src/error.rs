//! The errors of reading and checking recordings.

use std::path::PathBuf;

use super::stimulus_error::StimulusError;

/// Why a recording cannot be read or replayed.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file or folder cannot be opened.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the file system.
        error: std::io::Error,
    },
    /// The file does not contain JSON of the expected structure.
    #[error("{path}:{line}:{column}: {message}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, starting at 1.
        line: usize,
        /// Column, starting at 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The folder contains no recording.
    #[error(
        "{0}: no recording here; expected meta.json, stimuli.jsonl and calls.jsonl in it or in the folders below"
    )]
    NoRecording(PathBuf),
    /// A stimulus has an invalid value.
    #[error("{path}:{line}: {error}")]
    Stimulus {
        /// The file.
        path: PathBuf,
        /// Line, starting at 1.
        line: usize,
        /// What is wrong.
        error: StimulusError,
    },
    /// The time of a call is out of range.
    #[error("{path}:{line}: invalid time {seconds}: expected 0 to 1e12 seconds")]
    CallTime {
        /// The file.
        path: PathBuf,
        /// Line, starting at 1.
        line: usize,
        /// Seconds since the recording began.
        seconds: f64,
    },
}
