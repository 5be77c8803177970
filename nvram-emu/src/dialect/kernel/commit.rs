//! The flash operations of a commit, in the order of each driver.

use std::sync::Arc;

use super::placement::is_nand;
use crate::dialect::state::{Board, CommitStrategy, Driver, Halt, KernelRam, Ram};
use crate::flsh::{MAGIC, serialise};

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitResult {
    /// The flash now holds the table, except for variables that do not fit.
    Done,
    /// The flash already held the table.
    Skipped,
    /// Refused or failed, with the errno text that `perror` prints.
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
            CommitStrategy::Unguarded => self.commit_unguarded(board),
            CommitStrategy::GuardedOrNand if is_nand(&board.flash) => self.commit_nand(board),
            CommitStrategy::GuardedMagic | CommitStrategy::GuardedOrNand => {
                self.commit_guarded(board)
            }
            CommitStrategy::WholeBlocks => self.commit_whole_blocks(board),
            CommitStrategy::SkipEqual => self.commit_if_changed(board),
        }
    }

    fn commit_guarded(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let (start, kept, mut buffer) = read_backup(board);
        if !Halt::check(board.flash.program(start + kept as u32, &[0; 4]))? {
            return Ok(CommitResult::IO_ERROR);
        }
        let len = self.modify_ram(board, |ram| self.consolidate(ram, &mut buffer[kept..]));
        let end = kept + len as usize;
        if !erase_blocks(board, start, start + end as u32)? {
            return Ok(CommitResult::IO_ERROR);
        }
        buffer[kept..kept + 4].fill(0xFF);
        let done = Halt::check(board.flash.program(start, &buffer[..end]))?
            && Halt::check(board.flash.program(start + kept as u32, &MAGIC.to_le_bytes()))?;
        self.cache_ram_as_flash_load(board, &buffer[kept..end]);
        Ok(CommitResult::from_device(done))
    }

    fn commit_unguarded(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let (start, kept, mut buffer) = read_backup(board);
        let len = self.modify_ram(board, |ram| self.consolidate(ram, &mut buffer[kept..]));
        let end = kept + len as usize;
        if !erase_blocks(board, start, start + end as u32)? {
            return Ok(CommitResult::IO_ERROR);
        }
        let done = Halt::check(board.flash.program(start, &buffer[..end]))?;
        self.cache_ram_as_flash_load(board, &buffer[kept..end]);
        Ok(CommitResult::from_device(done))
    }

    fn commit_nand(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let geometry = board.flash.geometry();
        let mut image = vec![0; board.space as usize];
        let len = self.modify_ram(board, |ram| self.consolidate(ram, &mut image));
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
        self.cache_ram_as_flash_load(board, &image[..len as usize]);
        Ok(CommitResult::Done)
    }

    fn commit_whole_blocks(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let geometry = board.flash.geometry();
        let (space, erase) = (board.space, geometry.erase_block);
        let backup = space.next_multiple_of(erase).min(geometry.size);
        let end = geometry.size - space;
        let (start, kept) = match self.ram(board).image_at {
            None => (geometry.size - backup, (backup - space) as usize),
            Some(start) => (start, 0),
        };
        let mut buffer = vec![0; backup as usize];
        board.flash.read(start, &mut buffer[..kept]);
        let len = self.modify_ram(board, |ram| {
            // `nvram_off`: from now on the driver takes the start of the block for the start of the image.
            ram.image_at = (start != end).then_some(start);
            self.consolidate(ram, &mut buffer[kept..kept + space as usize])
        });
        if !erase_blocks(board, start, end + len)? {
            return Ok(CommitResult::IO_ERROR);
        }
        let whole = (backup - space) + len.next_multiple_of(erase.min(space));
        let whole = (whole as usize).min(buffer.len());
        let done = Halt::check(board.flash.program(start, &buffer[..whole]))?;
        self.cache_ram_as_flash_load(board, &buffer[kept..kept + len as usize]);
        Ok(CommitResult::from_device(done))
    }

    /// RAM was reloaded from `image`, so the next boot loads the same if the flash holds `image`.
    fn cache_ram_as_flash_load(&self, board: &Board, image: &[u8]) {
        if let Ram::Kernel(ram) = &board.ram {
            self.cache_image_load(board, Arc::clone(ram), image);
        }
    }

    /// The table in RAM does not change: what does not fit the image stays in RAM until the reboot.
    fn commit_if_changed(&self, board: &mut Board) -> Result<CommitResult, Halt> {
        let geometry = board.flash.geometry();
        let (space, erase) = (board.space, geometry.erase_block);
        let start = geometry.size - space;
        let mut image = vec![0; space as usize];
        let ram = self.ram(board);
        let table = ram.permanent();
        let Ok(written) = serialise(&table, self.format, &mut image, space as usize) else {
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
        let Some(slot) = block.get_mut(from..from + image.len()) else {
            return Ok(CommitResult::TOO_BIG);
        };
        slot.copy_from_slice(&image);
        let done = replace_block(board, number, &block)?;
        let reloaded = KernelRam::reload(self, &table, written, &image);
        self.cache_image_load(board, Arc::new(reloaded), &image[..written.len as usize]);
        Ok(CommitResult::from_device(done))
    }
}

/// Erases the blocks that begin in `start..end`; whether all erases succeeded. The drivers assume that `start`
/// is the first byte of a block, and fail otherwise.
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

/// The driver backs up whole erase blocks: other data, then the NVRAM. Returns the offset of the first block, the number of
/// bytes of other data, and a buffer that begins with them.
fn read_backup(board: &Board) -> (u32, usize, Vec<u8>) {
    let geometry = board.flash.geometry();
    let backup = board.space.next_multiple_of(geometry.erase_block).min(geometry.size);
    let start = geometry.size - backup;
    let kept = (backup - board.space) as usize;
    let mut buffer = vec![0; backup as usize];
    board.flash.read(start, &mut buffer[..kept]);
    (start, kept, buffer)
}
