//! Reading any kind of backup.

use std::fmt;

use super::error::BackupError;
use super::hdr::{self, Entry, HdrLimits};
use super::{MAX_INPUT, MAX_VARIABLES, Variable, ddwrt, image, text, tomato};

/// The kind of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    /// The output of `nvram show`.
    Text,
    /// Tomato's `backup`.
    Tomato,
    /// `save` of Broadcom's successors (`HDR1`, `HDR2`).
    Saved,
    /// DD-WRT's `backup`.
    DdWrt,
    /// A flash image, with the offset of its header.
    Image {
        /// Offset of the FLSH header.
        offset: usize,
    },
}

impl fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text of `nvram show`"),
            Self::Tomato => f.write_str("a backup of Tomato"),
            Self::Saved => f.write_str("a file of `nvram save`"),
            Self::DdWrt => f.write_str("a backup of DD-WRT"),
            Self::Image { offset } => write!(f, "a flash image with its header at {offset:#x}"),
        }
    }
}

/// What a backup contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The kind of the backup.
    pub format: SourceFormat,
    /// The variables, in the order of the backup.
    pub variables: Vec<Variable>,
}

/// Reads a backup of any kind.
///
/// # Errors
/// When it is too large, or damaged.
pub fn read(bytes: &[u8]) -> Result<Backup, BackupError> {
    if bytes.len() > MAX_INPUT {
        return Err(BackupError::TooLarge { limit: MAX_INPUT });
    }
    if bytes.starts_with(tomato::GZIP) || bytes.starts_with(tomato::SIGNATURE) {
        let variables = tomato::read(bytes)?.variables;
        return Ok(Backup { format: SourceFormat::Tomato, variables });
    }
    if bytes.starts_with(b"HDR1") || bytes.starts_with(b"HDR2") {
        let entries = hdr::read(bytes, HdrLimits { length: MAX_VARIABLES })?;
        let set = |entry| match entry {
            Entry::Set(name, value) => Some((name, value)),
            Entry::Unset(_) => None,
        };
        let variables = entries.into_iter().filter_map(set).collect();
        return Ok(Backup { format: SourceFormat::Saved, variables });
    }
    if bytes.starts_with(ddwrt::SIGNATURE) {
        return Ok(Backup { format: SourceFormat::DdWrt, variables: ddwrt::read(bytes)? });
    }
    if let Some(found) = image::read(bytes) {
        let image::FoundImage { offset, variables } = found?;
        return Ok(Backup { format: SourceFormat::Image { offset }, variables });
    }
    Ok(Backup { format: SourceFormat::Text, variables: text::read(bytes)? })
}
