//! Errors of back ends.

use std::io;

/// An error of a back end.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The machine on which leaselab runs lacks a requirement or refuses an operation.
    #[error("{0}")]
    Environment(String),
    /// The script under test cannot be run.
    #[error("{0}")]
    Script(String),
    /// A message of a client cannot be encoded.
    #[error("{0}")]
    Message(String),
    /// The persistent folders of the router cannot hold the files of the scenario.
    #[error("{0}")]
    Storage(String),
    /// The router is in a state that prevents further checks.
    #[error("{0}")]
    Broken(String),
}

impl BackendError {
    /// [`BackendError::Environment`] for an I/O error on `what`.
    pub(crate) fn environment(what: &str, error: &io::Error) -> Self {
        Self::Environment(format!("{what}: {error}"))
    }

    /// The agent process ended or sent an invalid answer.
    pub(crate) fn no_agent() -> Self {
        Self::Environment("the agent process does not answer".to_owned())
    }
}
