//! The error that ends a command before it can give a verdict.

use std::fmt::Display;
use std::path::Path;

use backend::BackendError;
use explore::crash::ReplayError;
use nvram_emu::emu::EmuError;
use qemu::error::QemuError;
use runner::{CaseError, InProcessError};
use scenario::diagnostics::SourceError;

use crate::exit::Exit;
use crate::shown::Shown as _;

/// Why a command ended without a verdict. Each variant has its own exit code.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// An input that is invalid at a known place.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// Invalid arguments, an input that is invalid or cannot be read, or an output that cannot be written.
    #[error("{0}")]
    Usage(String),
    /// The machine lacks something that the command needs.
    #[error("{0}")]
    Environment(String),
    /// The program under test failed in a way that prevents a verdict.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// A usage error, from any error whose text is a complete message.
    pub fn usage(error: impl Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// A usage error about a file, with the path before the reason.
    pub fn file(path: &Path, error: impl Display) -> Self {
        Self::Usage(format!("{}: {error}", path.shown()))
    }

    /// The exit code of the process.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Source(_) => Exit::Usage,
            Self::Environment(_) => Exit::Environment,
            Self::Failed(_) => Exit::Failed,
        }
    }
}

impl From<EmuError> for CommandError {
    fn from(error: EmuError) -> Self {
        Self::usage(error)
    }
}

impl From<CaseError> for CommandError {
    fn from(fault: CaseError) -> Self {
        match fault {
            CaseError::Source(error) => error.into(),
            CaseError::Backend(error) => error.into(),
        }
    }
}

impl From<InProcessError> for CommandError {
    fn from(error: InProcessError) -> Self {
        match error {
            InProcessError::Unavailable(why) => Self::Usage(why),
            InProcessError::Case(error) => error.into(),
        }
    }
}

impl From<ReplayError> for CommandError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::InProcess(error) => error.into(),
            other => Self::usage(other),
        }
    }
}

impl From<BackendError> for CommandError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Environment(why) => Self::Environment(why),
            BackendError::Script(why) | BackendError::Message(why) | BackendError::Storage(why) => {
                Self::Usage(why)
            }
            BackendError::Broken(why) => Self::Failed(why),
        }
    }
}

impl From<QemuError> for CommandError {
    fn from(error: QemuError) -> Self {
        match error {
            QemuError::Environment(why) => Self::Environment(why),
            QemuError::Input(why) | QemuError::Message(why) => Self::Usage(why),
            QemuError::Guest(why) => Self::Failed(why),
        }
    }
}
