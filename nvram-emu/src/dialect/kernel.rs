//! A Broadcom-like kernel driver: a hash table in RAM behind `/dev/nvram`, and a commit to flash.
//!
//! Modelled on nvram_linux.c (arch/mips/brcm-boards/bcm947xx) and shared/nvram/nvram.c of
//! shantanugoel/asus-rt-n66u-merlin ede220728e; dialects differ by the fields of [`Driver`].

use std::sync::Arc;

use super::board::{Board, Loaded, Ram};
pub use super::commit::{CommitResult, CommitStrategy};
use super::openwrt::OpenError;
use crate::flsh::{
    ChainRule, Change, Entries, Format, HEADER_LEN, Header, Insert, MAGIC, ScanMode, Table,
    Written, crc_of, serialise,
};

/// What a boot demands of an image in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootCheck {
    /// Magic only (DD-WRT's `_nvram_init`).
    Magic,
    /// Magic and 20 <= len <= space (`nvram_valid`, the CRC test compiled out).
    MagicAndLen,
    /// The CRC as well.
    Crc,
}

/// The RAM area that values are copied into (`nvram_buf`, `_nvram_realloc`); names cost nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arena {
    /// As large as the NVRAM; every new or changed value takes fresh bytes (up to 2012).
    Fresh,
    /// As large as the NVRAM; a value not longer than the one before it takes its place (later drivers).
    Reused,
    /// Twice the partition; places are taken over likewise, and only a fresh place can be refused (Padavan).
    /// The real driver also remembers that a place once held more.
    Double,
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
    pub boot_check: BootCheck,
    /// Commit.
    pub commit: CommitStrategy,
    /// Room for values.
    pub arena: Arena,
    /// Whether loading adds the `sdram_*` variables that are missing, from the header.
    pub sdram: bool,
    /// What a `set` is refused with when the arena stays full, as `perror` says it.
    pub full: &'static str,
}

const ENOMEM: &str = "Cannot allocate memory";

/// Broadcom's driver of the RT-N66U, 2012.
pub const BROADCOM: Driver = Driver {
    rule: ChainRule::PLAIN,
    insert: Insert::Head,
    format: Format::BROADCOM,
    boot_check: BootCheck::MagicAndLen,
    commit: CommitStrategy::GuardedMagic,
    arena: Arena::Fresh,
    sdram: true,
    full: ENOMEM,
};

/// Broadcom's driver for ARM (arch/arm/plat-brcm/nvram_linux.c of RMerl/asuswrt-merlin.ng,
/// release/src-rt-6.x.4708). The kernel's early search and CFE refuse an image whose CRC is wrong.
pub const BROADCOM_ARM: Driver = Driver {
    rule: ChainRule::PLAIN_ARM,
    boot_check: BootCheck::Crc,
    commit: CommitStrategy::GuardedOrNand,
    arena: Arena::Reused,
    ..BROADCOM
};

/// DD-WRT's own driver, for platforms with an MTD partition "nvram": no `sdram_*`, other chains.
pub const DDWRT: Driver = Driver {
    rule: ChainRule::DDWRT,
    insert: Insert::Head,
    format: Format::DDWRT,
    boot_check: BootCheck::Magic,
    commit: CommitStrategy::WholeBlocks,
    arena: Arena::Reused,
    sdram: false,
    full: ENOMEM,
};

/// Padavan: ASUS NVRAM driver 0.08 and its core (nvram.c with `_nvram_generate`).
pub const PADAVAN: Driver = Driver {
    rule: ChainRule::PLAIN,
    insert: Insert::Tail,
    format: Format::PADAVAN,
    boot_check: BootCheck::Crc,
    commit: CommitStrategy::SkipEqual,
    arena: Arena::Double,
    sdram: false,
    full: "Operation not permitted",
};

/// The driver's RAM.
#[derive(Clone, Debug)]
pub struct KernelRam {
    /// The variables.
    pub table: Table,
    /// Bytes of the value arena in use (`nvram_offset`).
    pub arena: u32,
}

/// The arena is full even after consolidation; [`Driver::full`] is the errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

impl KernelRam {
    fn empty(driver: &Driver) -> Self {
        Self { table: Table::new(driver.rule, driver.insert), arena: 0 }
    }

    /// `nvram_rehash`: a fresh table from an image of `space` bytes, whose last two bytes count as NUL.
    fn load(driver: &Driver, image: &[u8]) -> Self {
        let space = image.len();
        let area = &image[HEADER_LEN..space.max(HEADER_LEN + 2) - 2];
        let mut ram = if driver.arena == Arena::Fresh {
            let (table, _) = Table::load(area, ScanMode::Terminated, driver.rule, driver.insert);
            Self { arena: table.value_bytes(), table }
        } else {
            let mut ram = Self::empty(driver);
            for entry in Entries::new(area, ScanMode::Terminated) {
                ram.put(driver.arena, entry.name, entry.value);
            }
            ram
        };
        ram.add_sdram(driver, image);
        ram
    }

    /// What [`Self::load`] makes of an image into which `table` was just written.
    pub(super) fn reload(driver: &Driver, table: &Table, written: Written, image: &[u8]) -> Self {
        let Some(table) = written.reloaded(table, image) else { return Self::load(driver, image) };
        let mut ram = Self { arena: table.value_bytes(), table };
        ram.add_sdram(driver, image);
        ram
    }

    /// The end of `nvram_rehash`.
    fn add_sdram(&mut self, driver: &Driver, image: &[u8]) {
        let Some(header) = Header::read(image).filter(|_| driver.sdram) else { return };
        Table::add_sdram(header, |name, value| {
            if self.table.get(name).is_none() {
                // A full arena refuses the variable; nothing reports it at load.
                let _ = self.try_set(driver.arena, name, value, image.len() as u64);
            }
        });
    }

    /// `_nvram_realloc` and `_nvram_set`: refused when the value does not fit behind the arena's used part.
    fn try_set(
        &mut self,
        arena: Arena,
        name: &[u8],
        value: &[u8],
        room: u64,
    ) -> Result<(), NoMemory> {
        let behind = u64::from(self.arena) + value.len() as u64 + 1;
        let full = match arena {
            Arena::Fresh | Arena::Reused => behind > room,
            Arena::Double => behind >= room && !self.has_place(name, value),
        };
        if full {
            return Err(NoMemory);
        }
        self.put(arena, name, value);
        Ok(())
    }

    /// Whether `name` has a value that is not shorter.
    fn has_place(&self, name: &[u8], value: &[u8]) -> bool {
        self.table.get(name).is_some_and(|old| old.len() >= value.len())
    }

    fn put(&mut self, arena: Arena, name: &[u8], value: &[u8]) {
        let in_place = arena != Arena::Fresh && self.has_place(name, value);
        if self.table.set(name, value) != Change::Same && !in_place {
            self.arena = self.arena.saturating_add(value.len() as u32 + 1);
        }
    }
}

impl Driver {
    /// What a boot loads: the image at the partition's end, or nothing.
    pub fn load_flash(&self, board: &Board) -> Option<Arc<KernelRam>> {
        let load = || {
            let image = self.valid_image(board).ok_or(OpenError::Refused)?;
            Ok(Loaded::Kernel(Arc::new(KernelRam::load(self, &image))))
        };
        match board.loads.get((board.flash.version(), board.space), load) {
            Ok(Loaded::Kernel(ram)) => Some(ram),
            _ => None,
        }
    }

    /// `ram` is what was made of `image`, the bytes up to its length; and so is the next boot's, where they lie in flash.
    pub(super) fn remember(&self, board: &Board, ram: Arc<KernelRam>, image: &[u8]) {
        let mut head = [0; HEADER_LEN];
        let (Some(start), Some(data)) =
            (self.commit.place(&board.flash, board.space), image.get(HEADER_LEN..))
        else {
            return;
        };
        board.flash.read(start, &mut head);
        // Some write the magic last.
        let whole = head[4..] == image[4..HEADER_LEN] && head[..4] == MAGIC.to_le_bytes();
        let fits = image.len() <= board.space as usize;
        if whole && fits && board.flash.holds(start + HEADER_LEN as u32, data) {
            board.loads.put_flash((board.flash.version(), board.space), Loaded::Kernel(ram));
        }
    }

    fn valid_image(&self, board: &Board) -> Option<Vec<u8>> {
        let start = self.commit.place(&board.flash, board.space)?;
        let space = board.space as usize;
        let mut head = [0; HEADER_LEN];
        board.flash.read(start, &mut head[..space.min(HEADER_LEN)]);
        let header = Header::read(&head).filter(|_| space >= HEADER_LEN)?;
        let len = header.len as usize;
        let bounded = (HEADER_LEN..=space).contains(&len);
        if header.magic != MAGIC || (self.boot_check != BootCheck::Magic && !bounded) {
            return None;
        }
        let image = board.flash.part(start, board.space);
        let intact = || header.crc() == crc_of(&image, len);
        (self.boot_check != BootCheck::Crc || intact()).then_some(image)
    }

    /// RAM as it is, or as a boot would make it.
    pub fn peek(&self, board: &Board) -> Arc<KernelRam> {
        match &board.ram {
            Ram::Kernel(ram) => Arc::clone(ram),
            Ram::Empty | Ram::File(_) => {
                self.load_flash(board).unwrap_or_else(|| Arc::new(KernelRam::empty(self)))
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
    pub(super) fn change<T>(
        &self,
        board: &mut Board,
        change: impl FnOnce(&mut KernelRam) -> T,
    ) -> T {
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
        let (arena, space) = (self.arena, board.space);
        let room = match arena {
            Arena::Fresh | Arena::Reused => u64::from(space),
            Arena::Double => u64::from(board.flash.geometry().size) * 2,
        };
        self.change(board, |ram| {
            if ram.try_set(arena, name, value, room).is_ok() {
                return Ok(());
            }
            self.consolidate(ram, &mut vec![0; space as usize]);
            ram.try_set(arena, name, value, room)
        })
    }

    /// `nvram_unset`.
    pub fn unset(&self, board: &mut Board, name: &[u8]) {
        if self.ram(board).table.get(name).is_some() {
            self.change(board, |ram| ram.table.unset(name));
        }
    }

    /// Empties RAM (`nvram_clear` of Padavan's driver).
    pub fn clear(&self, board: &mut Board) {
        board.ram = Ram::Kernel(Arc::new(KernelRam::empty(self)));
    }

    /// `_nvram_commit`: writes the image and reloads the table from it. Returns `len`.
    pub(super) fn consolidate(&self, ram: &mut KernelRam, image: &mut [u8]) -> u32 {
        let space = image.len();
        let Ok(written) = serialise(&ram.table, self.format, image, space) else {
            return 0;
        };
        *ram = KernelRam::reload(self, &ram.table, written, image);
        written.len
    }

    /// `nvram_getall` into a buffer of `count` bytes: chain by chain, head to tail; what does not fit ends
    /// its chain. Calls `each` with texts `name=value` and their NUL, and returns the bytes used.
    pub fn getall<'t>(table: &'t Table, count: usize, mut each: impl FnMut(&'t [u8])) -> usize {
        let mut used = 0;
        for chain in 0..table.chains() {
            for text in table.chain_texts(chain) {
                if count - used <= text.len() {
                    break;
                }
                used += text.len();
                each(text);
            }
        }
        used
    }
}
