//! Why there is no guest, or no answer from one.

use std::io;
use std::path::Path;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum QemuError {
    /// The machine that runs the lab lacks something.
    #[error("{0}")]
    Environment(String),
    /// A file or an option that cannot be used.
    #[error("{0}")]
    Input(String),
    /// A guest did not do what it must.
    #[error("{0}")]
    Guest(String),
}

impl QemuError {
    /// A file of the lab's own that refuses.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Environment(format!("{}: {error}", path.display()))
    }

    /// A file that the user named.
    pub(super) fn input(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Input(format!("{}: {error}", path.display()))
    }
}

impl From<QemuError> for backend::BackendError {
    fn from(error: QemuError) -> Self {
        match error {
            QemuError::Environment(why) => Self::Environment(why),
            QemuError::Input(why) => Self::Script(why),
            QemuError::Guest(why) => Self::Broken(why),
        }
    }
}
