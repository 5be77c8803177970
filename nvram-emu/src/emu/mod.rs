//! The `nvram` executable: environment variables, files, lock, and the end of the process at a power cut.
//!
//! [`main`] is the entry point. [`DeviceFolder`] creates and opens device folders.

mod config;
mod error;
mod fast_get;
mod files;
mod folder;
mod host_files;
mod kill;
mod lock;
mod process;
mod race;
mod settings;
mod store;
mod wear_file;

pub use config::{ConfigError, DeviceConfig};
pub use error::EmuError;
pub use folder::{DeviceFolder, DeviceInfo};
pub use kill::CutScope;
pub use process::{dry_run, exit_code, main};
pub use settings::{Env, LockMode, Settings};
