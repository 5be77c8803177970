//! Errors of back ends.

use std::io;

/// Why a back end could not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The machine on which leaselab runs lacks or refuses something.
    #[error("{0}")]
    Environment(String),
    /// The script under test cannot be run.
    #[error("{0}")]
    Script(String),
    /// A message of a client cannot be encoded.
    #[error("{0}")]
    Message(String),
    /// The router is in a state in which nothing more can be judged.
    #[error("{0}")]
    Broken(String),
}

impl BackendError {
    /// [`BackendError::Environment`] for an I/O error on `what`.
    pub(crate) fn environment(what: &str, error: &io::Error) -> Self {
        Self::Environment(format!("{what}: {error}"))
    }

    /// The agent process ended or gave no valid answer.
    pub(crate) fn no_agent() -> Self {
        Self::Environment("the agent process does not answer".to_owned())
    }
}
