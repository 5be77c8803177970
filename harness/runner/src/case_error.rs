//! The error of a case that cannot be judged.

use backend::BackendError;
use scenario::diagnostics::SourceError;

/// Why a case could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The scenario file contains something that cannot be played.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The machine that runs the lab lacks something, or the script cannot be run.
    #[error("{0}")]
    Backend(#[from] BackendError),
}

/// Why a case cannot be run in process.
#[derive(Debug, thiserror::Error)]
pub enum InProcessError {
    /// Its script is not available as a function, or it needs something that only processes have. The text says what.
    #[error("{0}")]
    Unavailable(String),
    /// The case cannot be run at all.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl From<BackendError> for InProcessError {
    fn from(error: BackendError) -> Self {
        Self::Case(error.into())
    }
}

impl From<SourceError> for InProcessError {
    fn from(error: SourceError) -> Self {
        Self::Case(error.into())
    }
}
