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
