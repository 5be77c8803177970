//! The `nvram` tool as the script uses it.

use lease_journal::OperationError;

/// The output and exit code of one command of the tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NvramOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit code as a shell reports it (128 + signal).
    pub code: i32,
}

/// Runs commands of an `nvram` tool.
pub trait Nvram {
    /// Runs the tool with these arguments.
    ///
    /// # Errors
    /// [`OperationError::Killed`] ends the script at once. [`OperationError::Io`]: the tool could not be started, which
    /// the script treats as exit code 127.
    fn run(&mut self, args: &[&[u8]]) -> Result<NvramOutput, OperationError>;
}
