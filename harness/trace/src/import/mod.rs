//! Converts the log of `lease-script/record.sh` into a recording.

mod anonymise;
mod pseudonyms;
mod record_log;
mod write;

pub use anonymise::{AddressPolicy, Anonymiser};
pub use record_log::{Log, LogError, LogGaps};
pub use write::{Imported, WriteError, write};
