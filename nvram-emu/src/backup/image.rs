//! A FLSH image in a flash dump or a boot loader.

use super::error::BackupError;
use super::limits::{MAX_VARIABLES, Variable};
use crate::flsh::{
    ChainRule, HEADER_LEN, Header, Insert, MAGIC, ScanMode, Table, crc_from, find_magic,
};

/// The first header byte that the CRC covers: 12 with DD-WRT, 9 with all other writers.
const CRC_STARTS: [usize; 2] = [9, 12];

/// The image that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundImage {
    /// Offset of its header.
    pub(super) offset: usize,
    /// The variables, with missing `sdram_*` from the header.
    pub(super) variables: Vec<Variable>,
}

/// Reads the last image with a valid CRC, as a boot loader's embedded defaults come before the settings; else the first
/// image with a possible length. `None` if there is no header.
///
/// # Errors
/// When there are headers, but none with a possible length.
pub(super) fn read(bytes: &[u8]) -> Option<Result<FoundImage, BackupError>> {
    let first = find_magic(bytes, bytes.len())?;
    let mut possible = None;
    let mut valid = None;
    let mut at = first;
    loop {
        if let Some(image) = image_at(bytes, at) {
            let header = Header::read(image)?;
            let crc = |start: &usize| crc_from(image, *start, image.len());
            if CRC_STARTS.iter().any(|start| crc(start) == header.crc()) {
                valid = Some(at);
            }
            possible = possible.or(Some(at));
        }
        match find_magic(&bytes[at + 4..], bytes.len()) {
            Some(next) => at += 4 + next,
            None => break,
        }
    }
    let Some(offset) = valid.or(possible) else {
        let problem = "a FLSH header whose length is below 20 or beyond the file";
        return Some(Err(BackupError::at(first, problem)));
    };
    let image = image_at(bytes, offset)?;
    let header = Header::read(image).filter(|header| header.magic == MAGIC)?;
    let (mut table, _) =
        Table::load(&image[HEADER_LEN..], ScanMode::Terminated, ChainRule::PLAIN, Insert::Head);
    Table::add_sdram(header, |name, value| {
        if table.get(name).is_none() {
            table.set(name, value);
        }
    });
    let variables = table.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    Some(Ok(FoundImage { offset, variables }))
}

/// The image up to its length, if that is possible.
fn image_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = &bytes[at..];
    let len = Header::read(rest)?.len as usize;
    (HEADER_LEN..=MAX_VARIABLES).contains(&len).then(|| rest.get(..len))?
}
