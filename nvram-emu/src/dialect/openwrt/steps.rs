//! The steps that access the device and the staging file (nvram.c).

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memmem;

use crate::device::{Flash, OpError};
use crate::dialect::state::{Board, Halt, ProcMtd, Ram};

/// `nvram_find_mtd`: the size of the partition from the first line of /proc/mtd that contains "nvram" and names
/// a device whose node exists (here `mtd0`). `None` if there is no such line, or if the size is 0.
pub fn find_mtd(board: &Board) -> Option<u32> {
    part_size(&board.proc_mtd, board.flash.geometry().size)
}

/// [`find_mtd`] for a flash of `flash_size` bytes.
pub(crate) fn part_size(proc_mtd: &ProcMtd, flash_size: u32) -> Option<u32> {
    let size = match proc_mtd {
        ProcMtd::Assumed => flash_size,
        ProcMtd::Missing => return None,
        ProcMtd::Text(text) => text.split(|byte| *byte == b'\n').find_map(mtd0_size)?,
    };
    (size != 0).then_some(size)
}

/// `strstr(line, "nvram") && sscanf(line, "mtd%d: %08x", …)`, for the device `mtd0` only.
fn mtd0_size(line: &[u8]) -> Option<u32> {
    memmem::find(line, b"nvram")?;
    let rest = line.strip_prefix(b"mtd")?.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = rest.split_at(digits);
    if number.is_empty() || number.iter().any(|digit| *digit != b'0') {
        return None;
    }
    let rest = rest.strip_prefix(b":")?.trim_ascii_start();
    let hex: Vec<u32> =
        rest.iter().take(8).map_while(|byte| char::from(*byte).to_digit(16)).collect();
    (!hex.is_empty()).then(|| hex.iter().fold(0, |size, digit| size << 4 | digit))
}

/// `nvram_to_staging`: copies the partition to the staging file; whether that succeeded.
pub fn flash_to_staging(board: &mut Board) -> bool {
    let Some(size) = find_mtd(board).filter(|size| *size <= board.flash.geometry().size) else {
        return false;
    };
    board.ram = Ram::File(Arc::new(board.flash.range(0, size)));
    true
}

/// The first half of `staging_to_nvram`: one write() of the whole partition through mtdblock. Returns whether
/// there was a staging file of at least that size.
///
/// mtdblock erases and programs every erase block that the write touches, changed or not, low addresses
/// first (`write_cached_data`, drivers/mtd/mtdblock.c). The tool ignores errors of the write.
///
/// # Errors
/// [`Halt::PowerLost`] at an armed cut.
pub fn staging_to_flash(board: &mut Board) -> Result<bool, Halt> {
    let (Some(size), Ram::File(staging)) = (find_mtd(board), &board.ram) else {
        return Ok(false);
    };
    let Some(bytes) = staging.get(..size as usize) else {
        return Ok(false);
    };
    match write_through_mtdblock(&mut board.flash, bytes) {
        Err(OpError::PowerLost) => Err(Halt::PowerLost),
        Ok(()) | Err(OpError::Io) => Ok(true),
    }
}

fn write_through_mtdblock(flash: &mut Flash, bytes: &[u8]) -> Result<(), OpError> {
    let geometry = flash.geometry();
    let bytes = &bytes[..bytes.len().min(geometry.size as usize)];
    let mut result = Ok(());
    for (block, part) in (0..).zip(bytes.chunks(geometry.erase_block as usize)) {
        let mut cache = Cow::Borrowed(part);
        if part.len() < geometry.block_len(block) as usize {
            let mut whole = flash.block(block);
            whole[..part.len()].copy_from_slice(part);
            cache = Cow::Owned(whole);
        }
        let written =
            flash.erase(block).and_then(|()| flash.program(block * geometry.erase_block, &cache));
        match written {
            Err(OpError::PowerLost) => return written,
            Err(OpError::Io) => result = written,
            Ok(()) => {}
        }
    }
    result
}

/// The second half of `staging_to_nvram`: `unlink` of the staging file.
pub fn remove_staging(board: &mut Board) {
    board.ram = Ram::Empty;
}
