//! How a driver's commit reaches the flash.

use std::sync::Arc;

use super::board::{Board, Halt, Ram};
use super::kernel::{Driver, KernelRam};
use crate::device::{Flash, FlashKind};
use crate::flsh::{MAGIC, serialise};

/// The flash operations of a commit, and where the image lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStrategy {
    /// Broadcom NOR (`nvram_commit`): zero the magic, erase, program with an all-ones magic, program the magic.
    /// The image lies at the partition's end.
    GuardedMagic,
    /// Broadcom on ARM. NAND (`nvram_nflash_commit`, `nflash_mtd_write`): the image lies at the partition's
    /// start; every block up to `len` is read, erased and programmed whole. NOR: as [`CommitStrategy::GuardedMagic`].
    /// Flash counts as NAND by its chip, or when its erase block is 128 KiB or more.
    GuardedOrNand,
    /// DD-WRT (`nvram_commit`): erase blocks up to `len`, then one program of whole blocks, no invalid-magic
    /// phase. The image lies at the first multiple of its size that has the magic, else at the end.
    WholeBlocks,
    /// Padavan (`nvram_commit`, `ra_mtd_write_nm`): nothing where the flash equals the image up to the end of the
    /// space; else the one erase block that holds it is erased and programmed whole.
    SkipEqual,
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitResult {
    /// The flash holds the table, as far as it fits.
    Done,
    /// The flash already held it.
    Skipped,
    /// Refused or failed; what `perror` says of the errno.
    Failed(&'static str),
}

impl CommitResult {
    /// `-EIO`.
    pub const IO_ERROR: Self = Self::Failed("Input/output error");
    /// `-ENODEV`: the partition is smaller than the NVRAM.
    pub const NO_DEVICE: Self = Self::Failed("No such device");
    /// `-E2BIG`: more than one erase block.
    pub const TOO_BIG: Self = Self::Failed("Argument list too long");

    fn from_device(worked: bool) -> Self {
        if worked { Self::Done } else { Self::IO_ERROR }
    }
}

/// Erase blocks this large are NAND's.
const NAND_BLOCK: u32 = 0x2_0000;

fn is_nand(flash: &Flash) -> bool {
    flash.chip().kind == FlashKind::Nand || flash.geometry().erase_block >= NAND_BLOCK
}

impl CommitStrategy {
    /// Where an image of `space` bytes is looked for; `None` when the partition is smaller.
    pub(super) fn place(self, flash: &Flash, space: u32) -> Option<u32> {
        let end = flash.geometry().size.checked_sub(space)?;
        match self {
            Self::GuardedOrNand if is_nand(flash) => Some(0),
            Self::WholeBlocks => Some(search(flash, space).unwrap_or(end)),
            Self::GuardedMagic | Self::GuardedOrNand | Self::SkipEqual => Some(end),
        }
    }
}

/// `_nvram_read` of DD-WRT: the first multiple of `space` that has the magic.
fn search(flash: &Flash, space: u32) -> Option<u32> {
    let last = flash.geometry().size.checked_sub(space)?;
    (0..=last).step_by(space.max(1) as usize).find(|at| {
        let mut magic = [0; 4];
        flash.read(*at, &mut magic);
        magic == MAGIC.to_le_bytes()
    })
}

impl Driver {
    /// `nvram_commit`: the flash operations, in the real order.
    ///
    /// # Errors
    /// [`Halt::PowerLost`] at an armed cut.
    pub fn commit(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        if board.space > board.flash.geometry().size {
            return Ok(CommitResult::NO_DEVICE);
        }
        match self.commit {
            CommitStrategy::GuardedOrNand if is_nand(&board.flash) => self.commit_nand(board),
            CommitStrategy::GuardedMagic | CommitStrategy::GuardedOrNand => {
                self.commit_guarded(board)
            }
            CommitStrategy::WholeBlocks => self.commit_whole_blocks(board),
            CommitStrategy::SkipEqual => self.commit_if_changed(board),
        }
    }

    fn commit_guarded(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let geometry = board.flash.geometry();
        let (space, erase) = (board.space, geometry.erase_block);
        // The driver backs up whole erase blocks: kept bytes, then the NVRAM.
        let backup = space.next_multiple_of(erase).min(geometry.size);
        let start = geometry.size - backup;
        let kept = (backup - space) as usize;
        let mut buffer = vec![0; backup as usize];
        board.flash.read(start, &mut buffer[..kept]);
        if !Halt::check(board.flash.program(start + kept as u32, &[0; 4]))? {
            return Ok(CommitResult::IO_ERROR);
        }
        let len = self.change(board, |ram| self.consolidate(ram, &mut buffer[kept..]));
        let end = kept + len as usize;
        if !erase_blocks(board, start, start + end as u32)? {
            return Ok(CommitResult::IO_ERROR);
        }
        buffer[kept..kept + 4].fill(0xFF);
        let done = Halt::check(board.flash.program(start, &buffer[..end]))?
            && Halt::check(board.flash.program(start + kept as u32, &MAGIC.to_le_bytes()))?;
        self.remember_ram(board, &buffer[kept..end]);
        Ok(CommitResult::from_device(done))
    }

    fn commit_nand(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let geometry = board.flash.geometry();
        let mut image = vec![0; board.space as usize];
        let len = self.change(board, |ram| self.consolidate(ram, &mut image));
        for (number, part) in
            image[..len as usize].chunks(geometry.erase_block as usize).enumerate()
        {
            let number = number as u32;
            let mut block = board.flash.block(number);
            block[..part.len()].copy_from_slice(part);
            if !replace_block(board, number, &block)? {
                return Ok(CommitResult::IO_ERROR);
            }
        }
        self.remember_ram(board, &image[..len as usize]);
        Ok(CommitResult::Done)
    }

    fn commit_whole_blocks(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let geometry = board.flash.geometry();
        let (space, erase) = (board.space, geometry.erase_block);
        let backup = space.next_multiple_of(erase).min(geometry.size);
        let end = geometry.size - space;
        let found = search(&board.flash, space).unwrap_or(end);
        let (start, kept) = if found == end {
            (geometry.size - backup, (backup - space) as usize)
        } else {
            (found, 0)
        };
        let mut buffer = vec![0; backup as usize];
        board.flash.read(start, &mut buffer[..kept]);
        let len = self
            .change(board, |ram| self.consolidate(ram, &mut buffer[kept..kept + space as usize]));
        if !erase_blocks(board, start, end + len)? {
            return Ok(CommitResult::IO_ERROR);
        }
        let whole = (backup - space) + len.next_multiple_of(erase.min(space));
        let whole = (whole as usize).min(buffer.len());
        let done = Halt::check(board.flash.program(start, &buffer[..whole]))?;
        self.remember_ram(board, &buffer[kept..kept + len as usize]);
        Ok(CommitResult::from_device(done))
    }

    /// RAM is what was read back of `image`, and so what the next boot reads, if it lies in flash.
    fn remember_ram(&self, board: &Board, image: &[u8]) {
        if let Ram::Kernel(ram) = &board.ram {
            self.remember(board, Arc::clone(ram), image);
        }
    }

    /// The table stays as it is: what does not fit the image lives in RAM until the reboot.
    fn commit_if_changed(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let geometry = board.flash.geometry();
        let (space, erase) = (board.space, geometry.erase_block);
        let start = geometry.size - space;
        let mut image = vec![0; space as usize];
        let ram = self.ram(board);
        let Ok(written) = serialise(&ram.table, self.format, &mut image, space as usize) else {
            return Ok(CommitResult::IO_ERROR);
        };
        let mut stored = vec![0; space as usize];
        board.flash.read(start, &mut stored);
        if stored == image {
            return Ok(CommitResult::Skipped);
        }
        let number = start / erase;
        let mut block = board.flash.block(number);
        let from = (start - number * erase) as usize;
        let Some(place) = block.get_mut(from..from + image.len()) else {
            return Ok(CommitResult::TOO_BIG);
        };
        place.copy_from_slice(&image);
        let done = replace_block(board, number, &block)?;
        let loads = KernelRam::reload(self, &ram.table, written, &image);
        self.remember(board, Arc::new(loads), &image[..written.len as usize]);
        Ok(CommitResult::from_device(done))
    }
}

/// Erases the blocks from `start`, which a driver takes for a block's first byte, while they begin before `end`.
fn erase_blocks(board: &mut Board, start: u32, end: u32) -> Result<bool, Halt> {
    let erase = board.flash.geometry().erase_block;
    let mut at = start;
    while at < end {
        if !at.is_multiple_of(erase) || !Halt::check(board.flash.erase(at / erase))? {
            return Ok(false);
        }
        at += erase;
    }
    Ok(true)
}

fn replace_block(board: &mut Board, number: u32, bytes: &[u8]) -> Result<bool, Halt> {
    let offset = number * board.flash.geometry().erase_block;
    Ok(Halt::check(board.flash.erase(number))? && Halt::check(board.flash.program(offset, bytes))?)
}
