//! The reasons for which a command is aborted.

use crate::device::OpError;

/// The reason for which a command was aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The armed power cut occurred.
    PowerLost,
    /// The real tool would access memory outside its mapping here; one line of explanation.
    Fault(&'static str),
    /// The real kernel crashes at every boot with this flash; one line of explanation.
    KernelCrash(&'static str),
}

impl Halt {
    /// Separates a power loss, which aborts every command, from a device error, which a driver reports as an
    /// errno. Returns whether the operation succeeded.
    ///
    /// # Errors
    /// [`Halt::PowerLost`] when power was lost.
    pub fn check(result: Result<(), OpError>) -> Result<bool, Self> {
        match result {
            Ok(()) => Ok(true),
            Err(OpError::Io) => Ok(false),
            Err(OpError::PowerLost) => Err(Self::PowerLost),
        }
    }
}
