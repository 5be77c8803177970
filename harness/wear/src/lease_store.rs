//! The interface between a simulated dnsmasq and a lease script with its store.

use backend::BackendError;
use dnsmasq_model::{CallSink, Clock, StartFailure};

/// A lease script and its store. The calls of the script other than `init` arrive through [`CallSink`].
pub trait LeaseStore: CallSink {
    /// Sets the simulated time of the following calls, in seconds, and the clock of the router at that moment.
    fn set_time(&mut self, second: u64, clock: Clock);

    /// Calls the script with `init` and returns what it prints.
    ///
    /// # Errors
    /// A script or a back end that fails.
    fn init(&mut self) -> Result<Vec<u8>, SimulationError>;

    /// Turns the router off: the contents of its RAM are lost.
    ///
    /// # Errors
    /// A back end that fails.
    fn power_off(&mut self) -> Result<(), SimulationError>;
}

/// Why a simulation ended early.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// dnsmasq refused to start.
    #[error("dnsmasq does not start: {}", reason(.0))]
    Start(StartFailure),
    /// The script failed.
    #[error("{0}")]
    Script(String),
    /// Two scripts that should store the same leases printed different ones.
    #[error("scripts that store the same leases print different ones")]
    Diverged,
    /// The back end failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

fn reason(failure: &StartFailure) -> String {
    match failure {
        StartFailure::Exit { message, .. } => message.clone(),
        StartFailure::Crash { signal } => format!("it ends with signal {signal}"),
    }
}
