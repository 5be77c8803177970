//! Errors of building images and running guests.

use std::io;
use std::path::Path;

/// An error of building an image or running a guest, classified by its cause.
#[derive(Debug, thiserror::Error)]
pub enum QemuError {
    /// The machine that runs the harness lacks something, or one of the harness's own files cannot be used.
    #[error("{0}")]
    Environment(String),
    /// A file or an option of the user's cannot be used.
    #[error("{0}")]
    Input(String),
    /// A message of a client cannot be encoded.
    #[error("{0}")]
    Message(String),
    /// A guest did not boot, or stopped working.
    #[error("{0}")]
    Guest(String),
}

impl QemuError {
    /// Wraps an error about one of the harness's own files.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Environment(format!("{}: {error}", path.display()))
    }

    /// Wraps an error about a file that the user named.
    pub(super) fn input(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Input(format!("{}: {error}", path.display()))
    }
}

impl From<QemuError> for backend::BackendError {
    fn from(error: QemuError) -> Self {
        match error {
            QemuError::Environment(why) => Self::Environment(why),
            QemuError::Input(why) => Self::Script(why),
            QemuError::Message(why) => Self::Message(why),
            QemuError::Guest(why) => Self::Broken(why),
        }
    }
}
