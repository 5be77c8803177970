//! The `nvram` tool as the script sees it.

use std::io;

/// What one command of the tool printed and returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NvramOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit code as a shell sees it (128 + signal).
    pub code: i32,
}

/// Something that runs one command of an `nvram` tool.
pub trait Nvram {
    /// Runs the tool with these arguments.
    ///
    /// # Errors
    /// [`killed`]: the script itself ends here, as by SIGKILL or with the power. Any other error: the tool
    /// could not be started, which the script sees as exit code 127.
    fn run(&mut self, args: &[&[u8]]) -> io::Result<NvramOutput>;
}

/// The error by which [`Nvram`] and [`crate::Marker`] end the script at once.
pub fn killed() -> io::Error {
    io::ErrorKind::Interrupted.into()
}
