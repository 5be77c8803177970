//! The reasons for which a command is aborted.

use crate::device::OpError;

/// The reason for which a command was aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The armed power cut occurred.
    PowerLost,
    /// The real tool would crash here.
    Fault(Fault),
    /// The real kernel crashes at every boot with this flash; one line of explanation.
    KernelCrash(&'static str),
}

/// An access of the real tool to memory that it cannot access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// One line of explanation.
    pub what: &'static str,
    /// The signal that ends the tool.
    pub signal: Signal,
}

/// A signal of the kernel for an invalid access. The numbers are those of all Linux architectures but MIPS, Alpha, PA-RISC
/// and SPARC, where SIGBUS is 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGBUS: the access is within a mapping, but beyond the end of its file.
    Bus = 7,
    /// SIGSEGV: the access is outside of the mappings.
    Segv = 11,
}

impl Signal {
    /// The exit code that a shell reports.
    pub fn exit_code(self) -> u8 {
        128 + self as u8
    }
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
