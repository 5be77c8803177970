//! Why the faults of an id cannot be injected.

use backend::BackendError;
use runner::InProcessError;

/// Why a replay is not possible.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The case cannot be run in process, or not at all.
    #[error(transparent)]
    InProcess(#[from] InProcessError),
    /// The id has no fault.
    #[error("the id has no fault")]
    NoFault,
    /// The run has too few calls for the first fault.
    #[error("the id names call {call}, but the run makes {made} calls")]
    NoCall {
        /// Number of calls.
        made: usize,
        /// Number of the call in the id.
        call: u32,
    },
    /// The run has too few calls after a fault for the next one.
    #[error("the id names call {call} after a fault, but only {made} calls follow it")]
    NoFurtherCall {
        /// Number of calls after the fault.
        made: u32,
        /// Number of the call in the id.
        call: u32,
    },
    /// The call has too few commands.
    #[error("the id names nvram command {nth} of `{call}`, which runs {made}")]
    NoCommand {
        /// The call.
        call: String,
        /// Number of its commands.
        made: usize,
        /// Number of the command in the id.
        nth: u32,
    },
    /// The call makes fewer changes of files, or cannot leave them in this state.
    #[error(
        "the id names a state that `{call}` cannot leave: it changes persistent files {made} times"
    )]
    NoFileState {
        /// The call.
        call: String,
        /// Number of its changes.
        made: usize,
    },
}

impl From<BackendError> for ReplayError {
    fn from(error: BackendError) -> Self {
        Self::InProcess(error.into())
    }
}
