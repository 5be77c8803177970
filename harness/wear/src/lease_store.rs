//! The interface between a simulated dnsmasq and a lease script with its store.

use backend::BackendError;
use dnsmasq_model::{CallSink, Clock, StartFailure};

/// A lease script and its store. All calls of the script except `init` arrive through [`CallSink`].
pub trait LeaseStore: CallSink {
    /// Sets the simulated time of the following calls, in seconds, and the router's clock at that time.
    fn set_time(&mut self, second: u64, clock: Clock);

    /// Calls the script with `init` and returns what it prints.
    ///
    /// # Errors
    /// Returns an error if the script or the back end fails.
    fn init(&mut self) -> Result<Vec<u8>, SimulationError>;

    /// Turns the router off. The contents of its RAM are lost.
    ///
    /// # Errors
    /// Returns an error if the back end fails.
    fn power_off(&mut self) -> Result<(), SimulationError>;
}

/// The errors that end a simulation early.
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
