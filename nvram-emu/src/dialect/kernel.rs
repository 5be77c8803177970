//! A Broadcom-like kernel driver: a hash table in RAM behind `/dev/nvram`, and a commit to flash.
//!
//! Modelled on nvram_linux.c (arch/mips/brcm-boards/bcm947xx) and shared/nvram/nvram.c of
//! shantanugoel/asus-rt-n66u-merlin ede220728e; dialects differ by the fields of [`Driver`].

use std::sync::Arc;

use super::board::{Board, Halt, Ram, Variables};
use crate::flsh::{
    ChainRule, Format, HEADER_LEN, Header, Insert, MAGIC, Table, Walk, crc_of, serialise,
};

/// How a commit reaches the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Broadcom NOR (`nvram_commit`): zero the magic, erase, program with an all-ones magic, program the magic.
    GuardedMagic,
    /// Erase blocks up to `len`, then one program of whole blocks, no invalid-magic phase (DD-WRT).
    WholeBlocks,
    /// As [`Commit::GuardedMagic`], but an image equal to the flash's is not written (Padavan).
    SkipEqual,
}

/// What a boot demands of an image in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootCheck {
    /// Magic and 20 <= len <= space (`nvram_valid`, the CRC test compiled out).
    MagicAndLen,
    /// The CRC as well.
    Crc,
}

/// One driver.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// Chain numbers.
    pub rule: ChainRule,
    /// Place of new names.
    pub insert: Insert,
    /// Image writer.
    pub format: Format,
    /// Validity at boot.
    pub boot: BootCheck,
    /// Commit.
    pub commit: Commit,
}

/// Broadcom's driver of the RT-N66U, 2012.
pub const BROADCOM: Driver = Driver {
    rule: ChainRule::PLAIN,
    insert: Insert::Head,
    format: Format::BROADCOM,
    boot: BootCheck::MagicAndLen,
    commit: Commit::GuardedMagic,
};

/// The driver's RAM.
#[derive(Clone, Debug)]
pub struct KernelRam {
    /// The variables.
    pub table: Table,
    /// Bytes of the value arena in use (`nvram_offset`): every new or changed value takes fresh bytes.
    pub arena: u32,
}

/// `-ENOMEM`: the arena is full even after consolidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The flash holds the table, as far as it fits.
    Done,
    /// The flash already held it.
    Skipped,
    /// `-EIO`.
    IoError,
}

impl KernelRam {
    fn empty(driver: &Driver) -> Self {
        Self { table: Table::new(driver.rule, driver.insert), arena: 0 }
    }

    /// `nvram_rehash`: a fresh table from an image of `space` bytes, whose last two bytes count as NUL.
    fn load(driver: &Driver, image: &[u8]) -> Self {
        let space = image.len();
        let area = &image[HEADER_LEN..space.max(HEADER_LEN + 2) - 2];
        let (table, _) = Table::load(area, Walk::Terminated, driver.rule, driver.insert);
        let mut ram = Self { arena: table.value_bytes(), table };
        if let Some(header) = Header::read(image) {
            Table::add_sdram(header, |name, value| {
                if ram.table.get(name).is_none() {
                    // A full arena refuses the variable; nothing reports it at load.
                    let _ = ram.try_set(name, value, space as u32);
                }
            });
        }
        ram
    }

    /// `_nvram_realloc` and `_nvram_set`: refused when the value does not fit behind the arena's used part.
    fn try_set(&mut self, name: &[u8], value: &[u8], space: u32) -> Result<(), NoMemory> {
        let bytes = value.len() as u64 + 1;
        if u64::from(self.arena) + bytes > u64::from(space) {
            return Err(NoMemory);
        }
        if self.table.set(name, value) != crate::flsh::Change::Same {
            self.arena += bytes as u32;
        }
        Ok(())
    }
}

impl Driver {
    /// What a boot loads: the image at the partition's end, or nothing.
    pub fn boot(&self, board: &Board) -> Option<KernelRam> {
        let image = self.valid_image(board)?;
        Some(KernelRam::load(self, &image))
    }

    fn valid_image(&self, board: &Board) -> Option<Vec<u8>> {
        let size = board.flash.geometry().size;
        let start = size.checked_sub(board.space)?;
        let mut image = vec![0; board.space as usize];
        board.flash.read(start, &mut image);
        let header = Header::read(&image)?;
        let len = header.len as usize;
        let valid = header.magic == MAGIC && (HEADER_LEN..=image.len()).contains(&len);
        let valid =
            valid && (self.boot == BootCheck::MagicAndLen || header.crc() == crc_of(&image, len));
        valid.then_some(image)
    }

    /// RAM as it is, or as a boot would make it.
    pub fn peek(&self, board: &Board) -> Arc<KernelRam> {
        match &board.ram {
            Ram::Kernel(ram) => Arc::clone(ram),
            Ram::Empty | Ram::File(_) => {
                Arc::new(self.boot(board).unwrap_or_else(|| KernelRam::empty(self)))
            }
        }
    }

    /// RAM for reading; boots first where that has not happened. Cheap: nothing is copied.
    pub fn ram(&self, board: &mut Board) -> Arc<KernelRam> {
        let ram = self.peek(board);
        board.ram = Ram::Kernel(Arc::clone(&ram));
        ram
    }

    /// RAM for writing; copied only where another board shares it.
    fn change<T>(&self, board: &mut Board, change: impl FnOnce(&mut KernelRam) -> T) -> T {
        let mut ram = self.ram(board);
        board.ram = Ram::Empty;
        let result = change(Arc::make_mut(&mut ram));
        board.ram = Ram::Kernel(ram);
        result
    }

    /// `nvram_set`: when the arena is full, the table goes through a scratch image (what does not fit is
    /// silently gone) and the set is tried again.
    ///
    /// # Errors
    /// When there is no room even then.
    pub fn set(&self, board: &mut Board, name: &[u8], value: &[u8]) -> Result<(), NoMemory> {
        let space = board.space;
        self.change(board, |ram| {
            if ram.try_set(name, value, space).is_ok() {
                return Ok(());
            }
            self.consolidate(ram, &mut vec![0; space as usize]);
            ram.try_set(name, value, space)
        })
    }

    /// `nvram_unset`.
    pub fn unset(&self, board: &mut Board, name: &[u8]) {
        if self.ram(board).table.get(name).is_some() {
            self.change(board, |ram| ram.table.unset(name));
        }
    }

    /// `_nvram_commit`: writes the image and reloads the table from it. Returns `len`.
    fn consolidate(&self, ram: &mut KernelRam, image: &mut [u8]) -> u32 {
        let space = image.len();
        let Ok(written) = serialise(&ram.table, self.format, image, space) else {
            return 0;
        };
        *ram = KernelRam::load(self, image);
        written.len
    }

    /// `nvram_commit`: the flash operations, in the real order.
    ///
    /// # Errors
    /// [`Halt::PowerLost`] at an armed cut.
    pub fn commit(&self, board: &mut Board) -> Result<Committed, Halt> {
        let geometry = board.flash.geometry();
        let (space, erase) = (board.space, geometry.erase_block);
        // The driver backs up whole erase blocks: kept bytes, then the NVRAM.
        let backup = space.next_multiple_of(erase).min(geometry.size);
        let start = geometry.size - backup;
        let kept = (backup - space) as usize;
        let mut buffer = vec![0; backup as usize];
        board.flash.read(start, &mut buffer);
        if self.commit == Commit::GuardedMagic
            && !Halt::check(board.flash.program(start + kept as u32, &[0; 4]))?
        {
            return Ok(Committed::IoError);
        }
        let before = (self.commit == Commit::SkipEqual).then(|| buffer[kept..].to_vec());
        let len = self.change(board, |ram| self.consolidate(ram, &mut buffer[kept..]));
        if before.is_some_and(|before| before[..len as usize] == buffer[kept..kept + len as usize])
        {
            return Ok(Committed::Skipped);
        }
        let end = kept + len as usize;
        if self.commit == Commit::SkipEqual
            && !Halt::check(board.flash.program(start + kept as u32, &[0; 4]))?
        {
            return Ok(Committed::IoError);
        }
        let mut at = start;
        while at < start + end as u32 {
            if at % erase != 0 || !Halt::check(board.flash.erase(at / erase))? {
                return Ok(Committed::IoError);
            }
            at += erase;
        }
        let done = if self.commit == Commit::WholeBlocks {
            let end = (end as u32).next_multiple_of(erase).min(backup) as usize;
            Halt::check(board.flash.program(start, &buffer[..end]))?
        } else {
            buffer[kept..kept + 4].fill(0xFF);
            Halt::check(board.flash.program(start, &buffer[..end]))?
                && Halt::check(board.flash.program(start + kept as u32, &MAGIC.to_le_bytes()))?
        };
        Ok(if done { Committed::Done } else { Committed::IoError })
    }

    /// `nvram_getall` into a buffer of `count` bytes: chains 0 to 256, head to tail; what does not fit ends
    /// its chain. Calls `each` and returns the bytes used.
    pub fn getall(table: &Table, count: usize, mut each: impl FnMut(&[u8], &[u8])) -> usize {
        let mut used = 0;
        for chain in 0..crate::flsh::CHAINS {
            for (name, value) in table.chain(chain) {
                let bytes = name.len() + 1 + value.len() + 1;
                if count - used <= bytes {
                    break;
                }
                used += bytes;
                each(name, value);
            }
        }
        used
    }

    /// The variables in RAM, as a boot would make it if need be.
    pub fn variables(&self, board: &Board) -> Variables {
        self.peek(board).table.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }

    /// The variables that a boot would load.
    pub fn flash_variables(&self, board: &Board) -> Option<Variables> {
        let ram = self.boot(board)?;
        Some(ram.table.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
    }
}
