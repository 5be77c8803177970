//! The edge: environment, files, lock, and the process that ends without power.
//!
//! [`main`] is the whole `nvram` executable. [`Device`] makes and looks after device folders.

mod config;
mod error;
mod files;
mod folder;
mod kill;
mod lock;
mod process;
mod quick;
mod race;
mod settings;

pub use config::{ConfigError, DeviceConfig};
pub use error::EmuError;
pub use folder::{Device, DeviceInfo};
pub use kill::CutScope;
pub use process::{foretell, main};
pub use settings::{Env, Settings};
