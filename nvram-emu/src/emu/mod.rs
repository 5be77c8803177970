//! The edge: environment, files, lock, and the process that ends without power.
//!
//! [`main`] is the whole `nvram` executable. [`DeviceFolder`] makes and looks after device folders.

mod config;
mod error;
mod fast_get;
mod files;
mod folder;
mod kill;
mod lock;
mod process;
mod race;
mod settings;

pub use config::{ConfigError, DeviceConfig};
pub use error::EmuError;
pub use folder::{DeviceFolder, DeviceInfo};
pub use kill::CutScope;
pub use process::{dry_run, main};
pub use settings::{Env, Settings};
