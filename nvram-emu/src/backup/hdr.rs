//! `HDR1` and `HDR2`: `save` of ASUS, Padavan and FreshTomato on ARM.
//!
//! From nvram_save_new and nvram_restore_new of tomato64/tomato64 4b0686420d package/nvram/nvram/main.c; the tools of
//! ASUS and Padavan differ in what they restore.

use memchr::memchr;

use super::error::BackupError;

const HEADER: usize = 8;
/// The length of the contents is rounded up to a multiple of this.
const ALIGN: usize = 1024;
/// Bytes from this one on stand for a NUL in `HDR2`.
const NUL: u8 = 0xFD;

/// What a reader accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HdrLimits {
    /// The length in the header must be below this.
    pub length: usize,
}

/// What a restored file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A name and its value.
    Set(Vec<u8>, Vec<u8>),
    /// A name without `=`.
    Unset(Vec<u8>),
}

/// Reads the entries of a file.
///
/// # Errors
/// An unknown header, or a length that the file or the limits contradict.
pub fn read(file: &[u8], limits: HdrLimits) -> Result<Vec<Entry>, BackupError> {
    let (header, rest) = file
        .split_first_chunk::<HEADER>()
        .ok_or_else(|| BackupError::at(file.len(), "the file ends inside its header"))?;
    let word = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let (length, scramble) = match &header[..4] {
        b"HDR1" => (word as usize, None),
        b"HDR2" => ((word & 0xFF_FFFF) as usize, Some(header[7])),
        _ => return Err(BackupError::at(0, "expected HDR1 or HDR2")),
    };
    if length == 0 || length >= limits.length {
        let problem = format!("invalid length {length}: expected 1 to {}", limits.length - 1);
        return Err(BackupError::at(4, problem));
    }
    let contents = rest.get(..length).ok_or_else(|| {
        BackupError::at(file.len(), format!("the file ends before its {length} bytes of contents"))
    })?;
    let mut contents = contents.to_vec();
    if let Some(offset) = scramble {
        unscramble(&mut contents, offset);
    }
    Ok(entries(&contents))
}

/// Bytes above 0xFC end an entry only after a byte that is not NUL, and stay as they are otherwise.
fn unscramble(contents: &mut [u8], offset: u8) {
    let mut before = 0;
    for (at, byte) in contents.iter_mut().enumerate() {
        if *byte < NUL {
            *byte = 0xFF_u8.wrapping_add(offset).wrapping_sub(*byte);
        } else if at > 0 && before != 0 {
            *byte = 0;
        }
        before = *byte;
    }
}

fn entries(contents: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut rest = contents;
    while let Some(&first) = rest.first().filter(|first| **first != 0) {
        if !(32..=127).contains(&first) {
            rest = &rest[1..];
            continue;
        }
        let end = memchr(0, rest).unwrap_or(rest.len());
        let entry = &rest[..end];
        entries.push(match memchr(b'=', entry) {
            Some(eq) => Entry::Set(entry[..eq].to_vec(), entry[eq + 1..].to_vec()),
            None => Entry::Unset(entry.to_vec()),
        });
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    entries
}

/// Writes `HDR2`. `entries` are `name=value NUL` one after the other. The real tools take the offset and the bytes that
/// stand for NUL from /dev/urandom.
pub fn write(entries: &[u8]) -> Vec<u8> {
    let length = entries.len().next_multiple_of(ALIGN);
    let mut file = b"HDR2".to_vec();
    file.extend_from_slice(&(length as u32).to_le_bytes()[..3]);
    file.push(0);
    file.extend(entries.iter().map(|byte| if *byte == 0 { NUL } else { 0xFF - byte }));
    file.resize(HEADER + length, NUL);
    file
}
