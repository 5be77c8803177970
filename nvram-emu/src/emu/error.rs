//! What can go wrong outside the simulated router.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::config::ConfigError;

/// An error of the emulator itself, worded to follow "nvram: ".
#[derive(Debug)]
pub enum EmuError {
    /// No variable names a device.
    NoDevice,
    /// A variable holds something it cannot.
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// A file.
    File {
        /// What was tried, such as "read".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// `device.toml`.
    Config {
        /// The file.
        path: PathBuf,
        /// Line and problem.
        source: ConfigError,
    },
    /// Sizes that do not fit together.
    Geometry(String),
    /// The staging file of a kernel dialect is not one.
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
                "no device: set NVRAM_EMU to a device folder (make one with 'leaselab device create DIR'), \
                 or NVRAM_EMU_FLASH and NVRAM_EMU_STAGING to two files",
            ),
            Self::Variable { name, problem } => write!(f, "{name}: {problem}"),
            Self::File { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::Config { path, source } => write!(f, "{}:{source}", path.display()),
            Self::Geometry(problem) => f.write_str(problem),
            Self::InvalidStaging(path) => {
                write!(f, "{} is not a RAM file of this dialect; remove it, as a reboot would", path.display())
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
