//! Output to a reader that may close the pipe early.

use std::io::{self, BufWriter, Write};

use crate::error::CommandError;

/// Prints to stdout. It is not an error when the reader has closed the pipe.
///
/// # Errors
/// Any other failure to write.
pub(super) fn print(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), CommandError> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::Environment(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
