//! Errors of the emulator itself, as opposed to errors of the emulated tool.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::config::ConfigError;

/// An error of the emulator itself. The message is meant to follow "nvram: ".
#[derive(Debug)]
pub enum EmuError {
    /// No environment variable names a device.
    NoDevice,
    /// An environment variable has an invalid value.
    Variable {
        /// The name of the variable.
        name: &'static str,
        /// What is wrong with the value.
        problem: String,
    },
    /// A file operation failed.
    File {
        /// The operation, for example "read".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// `device.toml` is invalid.
    Config {
        /// The file.
        path: PathBuf,
        /// Line and problem.
        source: ConfigError,
    },
    /// Sizes are inconsistent.
    Geometry(String),
    /// The staging file was not written by this dialect.
    InvalidStaging(PathBuf),
}

impl EmuError {
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { action, path, source }
    }
}

impl fmt::Display for EmuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDevice => f.write_str(
                "no device: set NVRAM_EMU to a device folder (create one with 'leaselab device create DIR'), \
                 or NVRAM_EMU_FLASH and NVRAM_EMU_STAGING to two files",
            ),
            Self::Variable { name, problem } => write!(f, "{name}: {problem}"),
            Self::File { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::Config { path, source } => write!(f, "{}:{source}", path.display()),
            Self::Geometry(problem) => f.write_str(problem),
            Self::InvalidStaging(path) => {
                write!(f, "{} is not a staging file of this dialect; remove it, as a reboot does", path.display())
            }
        }
    }
}

impl std::error::Error for EmuError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Config { source, .. } => Some(source),
            _ => None,
        }
    }
}
