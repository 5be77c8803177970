//! Turns the log of `lease-script/record.sh` into a recording.

mod anonymise;
mod log;
mod names;
mod write;

pub use anonymise::Anonymiser;
pub use log::{Log, LogError, Remains};
pub use write::{Imported, WriteError, write};
