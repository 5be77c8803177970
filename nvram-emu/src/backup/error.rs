//! Why a backup cannot be read.

use std::fmt;

/// Why a backup cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupError {
    /// A line of text is invalid: line and column, from 1, and the problem.
    Line {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A byte of a binary file is invalid: its offset, and the problem.
    Offset {
        /// The offset.
        offset: usize,
        /// What is wrong.
        problem: String,
    },
    /// The input or its contents are larger than the limit in bytes.
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl BackupError {
    pub(crate) fn at(offset: usize, problem: impl Into<String>) -> Self {
        Self::Offset { offset, problem: problem.into() }
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, column, problem } => write!(f, "{line}:{column}: {problem}"),
            Self::Offset { offset, problem } => write!(f, "offset {offset:#x}: {problem}"),
            Self::TooLarge { limit } => write!(f, "larger than {limit} bytes"),
        }
    }
}

impl std::error::Error for BackupError {}
