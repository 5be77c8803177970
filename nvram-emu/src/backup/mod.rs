//! Backups of NVRAM variables: what `nvram show` printed, the backup files of vendors, and flash images.
//!
//! | source | recognised by | written by |
//! |---|---|---|
//! | text | anything else | `nvram show` of every tool |
//! | Tomato | gzip of `TCF1` | `backup`: signature, hardware type, entries with their NUL, a NUL |
//! | Broadcom, ASUS, Padavan, FreshTomato on ARM | `HDR1`, `HDR2` | `save`: length and entries; in `HDR2` every byte is `0xFF - byte + offset`, and a NUL is 0xFD to 0xFF |
//! | DD-WRT | `DD-WRT` | `backup`: a count, then names and values with their lengths |
//! | flash image | a FLSH header | a partition, a whole flash, or a boot loader with embedded defaults at 1 KiB or 4 KiB |
//!
//! All readers take untrusted bytes: they take linear time, and refuse more than [`MAX_INPUT`] and [`MAX_VARIABLES`] bytes.

mod ddwrt;
mod error;
mod hdr;
mod image;
mod source;
mod text;
mod tomato;

pub use ddwrt::{read as read_ddwrt, write as write_ddwrt};
pub use error::BackupError;
pub use hdr::{Entry as HdrEntry, HdrLimits, read as read_hdr, write as write_hdr};
pub use source::{Backup, SourceFormat, read};
pub use tomato::{TomatoBackup, read as read_tomato, write as write_tomato};

/// Maximum size of a backup file or flash image in bytes.
pub const MAX_INPUT: usize = 64 << 20;
/// Maximum size of all names and values, and of what a compressed backup unpacks to.
pub const MAX_VARIABLES: usize = 1 << 20;

/// A variable: name and value.
pub type Variable = (Vec<u8>, Vec<u8>);
