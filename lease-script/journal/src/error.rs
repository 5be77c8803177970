//! Errors of the store and of the operations that it uses.

use std::fmt;
use std::io;

/// An error of an operation on a file, NVRAM or the intent log.
#[derive(Debug)]
pub enum OperationError {
    /// The calling process was killed, or the power failed. The caller must return immediately without further operations.
    Killed,
    /// The operation failed. The caller may handle the error and continue.
    Io(io::Error),
}

impl From<io::Error> for OperationError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<io::ErrorKind> for OperationError {
    fn from(kind: io::ErrorKind) -> Self {
        Self::Io(kind.into())
    }
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OperationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Killed => None,
            Self::Io(error) => Some(error),
        }
    }
}

/// An error of an operation of the store.
#[derive(Debug)]
pub enum StoreError {
    /// [`OperationError::Killed`]. The caller must return immediately.
    Killed,
    /// The message for the user, without the name of the program.
    Failed(String),
}

impl StoreError {
    /// Creates the error for a failed operation. `context` says what the operation was for.
    pub(crate) fn new(context: impl fmt::Display, error: &OperationError) -> Self {
        match error {
            OperationError::Killed => Self::Killed,
            OperationError::Io(error) => Self::Failed(format!("{context}: {}", reason(error))),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for StoreError {}

/// The result of an operation of the store.
pub type Result<T = ()> = std::result::Result<T, StoreError>;

/// Returns the message of an I/O error without the error number that the standard library appends.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_ascii_lowercase()
}

/// Creates an I/O error with a message of this crate.
pub(crate) fn message(text: &str) -> io::Error {
    io::Error::other(Message(text.to_owned()))
}

struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// A derived implementation would contain the code that escapes strings, which is 1 % of the executable.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Message {}
