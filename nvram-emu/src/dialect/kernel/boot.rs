//! Which image a boot loads.

use std::sync::Arc;

use super::placement::is_nand;
use crate::device::Flash;
use crate::dialect::state::{
    Board, BootCheck, CommitStrategy, Driver, Fault, Halt, KernelRam, Loaded, OpenError, Ram,
    Signal,
};
use crate::flsh::{HEADER_LEN, Header, MAGIC, crc_of};

/// The step of the early search of the ARM kernels on NOR flash. On NAND it is the erase block.
const SEARCH_STEP: u32 = 0x1_0000;

/// The image that a boot loads.
struct BootImage {
    /// Where the driver believes the image to be; `None` for its usual place at the end of the partition.
    at: Option<u32>,
    bytes: Vec<u8>,
}

impl Driver {
    /// What a boot loads from flash; `None` if there is no valid image, or if the boot crashes.
    pub fn load_flash(&self, board: &Board) -> Option<Arc<KernelRam>> {
        self.try_load_flash(board).ok()
    }

    fn try_load_flash(&self, board: &Board) -> Result<Arc<KernelRam>, OpenError> {
        let load = || {
            let image = self.boot_image(board)?;
            let mut ram = KernelRam::load(self, &image.bytes);
            ram.image_at = image.at;
            Ok(Loaded::Kernel(Arc::new(ram)))
        };
        match board.loads.get_or_load_flash(board.flash.version(), board.space, load)? {
            Loaded::Kernel(ram) => Ok(ram),
            Loaded::File(_) => Err(OpenError::Refused),
        }
    }

    /// Loads RAM as a boot does, unless the router has booted.
    ///
    /// # Errors
    /// [`Halt::KernelCrash`] where the real kernel crashes at the boot.
    pub fn boot(&self, board: &mut Board) -> Result<(), Halt> {
        if matches!(board.ram, Ram::Kernel(_)) {
            return Ok(());
        }
        let ram = match self.try_load_flash(board) {
            Ok(ram) => ram,
            Err(OpenError::Refused) => Arc::new(KernelRam::empty(self)),
            Err(OpenError::Fault(fault)) => return Err(Halt::KernelCrash(fault.what)),
        };
        board.ram = Ram::Kernel(ram);
        Ok(())
    }

    /// Where a boot looks for the image first; `None` when the partition is smaller than the NVRAM.
    pub fn image_offset(&self, board: &Board) -> Option<u32> {
        self.commit.image_offset(&board.flash, board.space)
    }

    fn boot_image(&self, board: &Board) -> Result<BootImage, OpenError> {
        let (flash, space) = (&board.flash, board.space);
        let start = self.commit.image_offset(flash, space).ok_or(OpenError::Refused)?;
        let header = read_header(flash, start, space).ok_or(OpenError::Refused)?;
        if header.magic != MAGIC {
            return self.fallback_image(flash, start, space);
        }
        let len = header.len as usize;
        let bounded = (HEADER_LEN..=space as usize).contains(&len);
        let bytes = flash.range(start, space);
        let valid = match self.boot_check {
            BootCheck::MagicOrCrash | BootCheck::MagicOrSearch if len < HEADER_LEN => {
                let what = "the length in the image's header is below 20";
                return Err(OpenError::Fault(Fault { what, signal: Signal::Segv }));
            }
            BootCheck::Magic | BootCheck::MagicOrCrash | BootCheck::MagicOrSearch => true,
            BootCheck::MagicAndLen => bounded,
            BootCheck::Crc => bounded && header.crc() == crc_of(&bytes, len),
        };
        let end = flash.geometry().size - space;
        let at = (self.commit == CommitStrategy::WholeBlocks && start != end).then_some(start);
        valid.then_some(BootImage { at, bytes }).ok_or(OpenError::Refused)
    }

    /// Without the magic in the usual place.
    fn fallback_image(
        &self,
        flash: &Flash,
        start: u32,
        space: u32,
    ) -> Result<BootImage, OpenError> {
        let bytes = if self.boot_check == BootCheck::MagicOrSearch {
            searched_image(flash, space)
        } else if self.commit == CommitStrategy::WholeBlocks {
            half_image(flash, start, space)
        } else {
            None
        };
        bytes.map(|bytes| BootImage { at: None, bytes }).ok_or(OpenError::Refused)
    }
}

fn read_header(flash: &Flash, at: u32, space: u32) -> Option<Header> {
    if (space as usize) < HEADER_LEN {
        return None;
    }
    Header::read(&flash.range(at, HEADER_LEN as u32))
}

/// The image that the early search finds; it copies the image up to its length.
fn searched_image(flash: &Flash, space: u32) -> Option<Vec<u8>> {
    let geometry = flash.geometry();
    let step = if is_nand(flash) { geometry.erase_block } else { SEARCH_STEP };
    (0..geometry.size).step_by(step as usize).find_map(|at| {
        let len = read_header(flash, at, space).filter(|header| header.magic == MAGIC)?.len;
        if !(HEADER_LEN as u32..=space).contains(&len) {
            return None;
        }
        let mut bytes = flash.range(at, len);
        let header = Header::read(&bytes).filter(|_| bytes.len() == len as usize)?;
        if header.crc() != crc_of(&bytes, bytes.len()) {
            return None;
        }
        bytes.resize(space as usize, 0);
        Some(bytes)
    })
}

/// An older image of half the size at the end of the partition. It overwrites the first half of what was read from
/// `start`, and the other half is the same image again.
fn half_image(flash: &Flash, start: u32, space: u32) -> Option<Vec<u8>> {
    let half = space / 2;
    let mut bytes = flash.range(start, space);
    let image = flash.range(flash.geometry().size.checked_sub(half)?, half);
    Header::read(&image).filter(|header| header.magic == MAGIC)?;
    bytes.get_mut(..image.len())?.copy_from_slice(&image);
    Some(bytes)
}
