//! Output on the console that neither panics nor ends the process when it cannot be written.
//!
//! A reader that closes the pipe early, such as `head`, is no error. Any other failure, such as a full disk, ends
//! `leaselab` with the exit code for the environment, but only after the work is done.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use crate::error::CommandError;

/// Width of a console that does not tell its width.
const DEFAULT_WIDTH: usize = 80;

/// The first failure to write to stdout; nothing is written after it.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Prints to stdout, like `print!`.
macro_rules! out {
    ($($argument:tt)*) => { $crate::console::write_stdout(format_args!($($argument)*)) };
}

/// Prints a line to stdout, like `println!`.
macro_rules! outln {
    () => { $crate::console::write_stdout(format_args!("\n")) };
    ($($argument:tt)*) => {
        $crate::console::write_stdout(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// Prints to stderr, like `eprint!`.
macro_rules! err {
    ($($argument:tt)*) => { $crate::console::write_stderr(format_args!($($argument)*)) };
}

/// Prints a line to stderr, like `eprintln!`.
macro_rules! errln {
    ($($argument:tt)*) => {
        $crate::console::write_stderr(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// Writes to stdout, unless it has failed before.
pub(crate) fn write_stdout(text: fmt::Arguments<'_>) {
    if FAILURE.get().is_none() {
        keep(anstream::stdout().lock().write_fmt(text));
    }
}

/// Writes to stderr. A failure cannot be reported anywhere, so it is ignored.
pub(crate) fn write_stderr(text: fmt::Arguments<'_>) {
    _ = anstream::stderr().lock().write_fmt(text);
}

fn keep(result: io::Result<()>) {
    if let Err(error) = result {
        _ = FAILURE.set(error);
    }
}

/// Width of the console in characters: that of the terminal, or of the variable `COLUMNS` where stdout is no terminal.
pub(crate) fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    let columns = || std::env::var("COLUMNS").ok()?.parse::<u16>().ok();
    terminal
        .map(|(width, _)| width.0)
        .or_else(columns)
        .filter(|width| *width > 0)
        .map_or(DEFAULT_WIDTH, usize::from)
}

/// Flushes stdout.
///
/// # Errors
/// The first failure to write to stdout, unless its reader had closed it.
pub(crate) fn finish() -> Result<(), CommandError> {
    keep(io::stdout().flush());
    match FAILURE.get() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::Environment(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
