//! Tomato's `backup`: gzip of `TCF1`, the hardware type, and the entries with their NUL, and a NUL.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use memchr::memchr;

use super::error::BackupError;
use super::{MAX_VARIABLES, Variable};

pub(super) const SIGNATURE: &[u8; 4] = b"TCF1";
pub(super) const GZIP: &[u8; 2] = b"\x1F\x8B";
const HEADER: usize = 8;

/// The contents of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TomatoBackup {
    /// The hardware type (`check_hw_type`).
    pub hardware: u32,
    /// The variables.
    pub variables: Vec<Variable>,
}

/// Reads a backup, compressed or not.
///
/// # Errors
/// Another signature, an invalid compression, an entry without `=`, or data after the end.
pub fn read(file: &[u8]) -> Result<TomatoBackup, BackupError> {
    if !file.starts_with(GZIP) {
        return parse(file);
    }
    let limit = (MAX_VARIABLES + HEADER) as u64;
    let mut unpacked = Vec::new();
    GzDecoder::new(file)
        .take(limit + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| BackupError::at(0, format!("invalid gzip data: {error}")))?;
    if unpacked.len() as u64 > limit {
        return Err(BackupError::TooLarge { limit: MAX_VARIABLES });
    }
    parse(&unpacked)
}

fn parse(data: &[u8]) -> Result<TomatoBackup, BackupError> {
    let (header, area) = data
        .split_first_chunk::<HEADER>()
        .ok_or_else(|| BackupError::at(data.len(), "the backup ends inside its header"))?;
    if header[..4] != SIGNATURE[..] {
        return Err(BackupError::at(0, "expected TCF1"));
    }
    if area.len() > MAX_VARIABLES {
        return Err(BackupError::TooLarge { limit: MAX_VARIABLES });
    }
    if !area.ends_with(b"\0\0") && area != b"\0" {
        return Err(BackupError::at(data.len(), "the data area does not end with two NUL bytes"));
    }
    let mut variables = Vec::new();
    let mut at = 0;
    while area[at] != 0 {
        let end = at + memchr(0, &area[at..]).unwrap_or(area.len() - at);
        let entry = &area[at..end];
        let eq = memchr(b'=', entry)
            .ok_or_else(|| BackupError::at(HEADER + at, "a variable without `=`"))?;
        variables.push((entry[..eq].to_vec(), entry[eq + 1..].to_vec()));
        at = end + 1;
    }
    if at + 1 != area.len() {
        return Err(BackupError::at(HEADER + at, "data after the last variable"));
    }
    let hardware = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    Ok(TomatoBackup { hardware, variables })
}

/// Writes a compressed backup. `entries` are `name=value NUL` one after the other.
pub fn write(hardware: u32, entries: &[u8]) -> Vec<u8> {
    let mut data = SIGNATURE.to_vec();
    data.extend_from_slice(&hardware.to_le_bytes());
    data.extend_from_slice(entries);
    data.push(0);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector does not fail.
    let _ = encoder.write_all(&data);
    encoder.finish().unwrap_or_default()
}
