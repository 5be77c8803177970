//! The position of an image in its partition.

use crate::device::{Flash, FlashKind};
use crate::dialect::state::CommitStrategy;
use crate::flsh::MAGIC;

/// Flash with erase blocks of at least this size counts as NAND.
const NAND_BLOCK: u32 = 0x2_0000;

pub(super) fn is_nand(flash: &Flash) -> bool {
    flash.chip().kind == FlashKind::Nand || flash.geometry().erase_block >= NAND_BLOCK
}

impl CommitStrategy {
    /// Offset at which an image of `space` bytes is looked for; `None` when the partition is smaller.
    pub(super) fn image_offset(self, flash: &Flash, space: u32) -> Option<u32> {
        let end = flash.geometry().size.checked_sub(space)?;
        match self {
            Self::GuardedOrNand if is_nand(flash) => Some(0),
            Self::WholeBlocks => Some(find_ddwrt_image(flash, space).unwrap_or(end)),
            Self::Unguarded | Self::GuardedMagic | Self::GuardedOrNand | Self::SkipEqual => {
                Some(end)
            }
        }
    }
}

/// `_nvram_read` of DD-WRT: the first multiple of `space` that has the magic.
fn find_ddwrt_image(flash: &Flash, space: u32) -> Option<u32> {
    let last = flash.geometry().size.checked_sub(space)?;
    (0..=last).step_by(space.max(1) as usize).find(|at| {
        let mut magic = [0; 4];
        flash.read(*at, &mut magic);
        magic == MAGIC.to_le_bytes()
    })
}
