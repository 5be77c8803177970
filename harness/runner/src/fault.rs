//! Why a case cannot be judged.

use backend::BackendError;
use scenario::diagnostics::SourceError;

/// Why a case could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The scenario file contains a step or a value that cannot be carried out.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The machine that runs the lab lacks something, or the script cannot be run.
    #[error("{0}")]
    Target(#[from] BackendError),
}
