//! Reading and changing the table in RAM: `get`, `set`, `unset` and `getall` of a kernel driver.

use std::sync::Arc;

use crate::dialect::state::{
    Arena, Board, CommitStrategy, Driver, KernelRam, Loaded, NoMemory, Ram,
};
use crate::flsh::{HEADER_LEN, MAGIC, Table, serialise};

impl Driver {
    /// Caches `ram`, which was loaded from `image`, as the load of the flash, provided that the flash holds
    /// `image`. `image` ends at the `len` of its header.
    pub(super) fn cache_image_load(&self, board: &Board, ram: Arc<KernelRam>, image: &[u8]) {
        let mut header = [0; HEADER_LEN];
        let (Some(start), Some(data)) =
            (self.commit.image_offset(&board.flash, board.space), image.get(HEADER_LEN..))
        else {
            return;
        };
        board.flash.read(start, &mut header);
        // Some drivers program the magic last, so it may be missing in `image`.
        let same_header = header[4..] == image[4..HEADER_LEN] && header[..4] == MAGIC.to_le_bytes();
        let fits = image.len() <= board.space as usize;
        if same_header && fits && board.flash.holds(start + HEADER_LEN as u32, data) {
            let end = board.flash.geometry().size - board.space;
            let at = (self.commit == CommitStrategy::WholeBlocks && start != end).then_some(start);
            let ram = if ram.image_at == at {
                ram
            } else {
                Arc::new(KernelRam { image_at: at, ..KernelRam::clone(&ram) })
            };
            board.loads.put_flash(board.flash.version(), board.space, Loaded::Kernel(ram));
        }
    }

    /// The current RAM, or the RAM after a boot if the router has not booted. Does not change the board.
    pub fn peek(&self, board: &Board) -> Arc<KernelRam> {
        match &board.ram {
            Ram::Kernel(ram) => Arc::clone(ram),
            Ram::Empty | Ram::File(_) => {
                self.load_flash(board).unwrap_or_else(|| Arc::new(KernelRam::empty(self)))
            }
        }
    }

    /// RAM for reading, after a boot if the router has not booted. The table is not copied.
    pub fn ram(&self, board: &mut Board) -> Arc<KernelRam> {
        let ram = self.peek(board);
        board.ram = Ram::Kernel(Arc::clone(&ram));
        ram
    }

    /// Changes RAM, which is copied only if another board shares it.
    pub(super) fn modify_ram<T>(
        &self,
        board: &mut Board,
        modify: impl FnOnce(&mut KernelRam) -> T,
    ) -> T {
        let mut ram = self.ram(board);
        board.ram = Ram::Empty;
        let result = modify(Arc::make_mut(&mut ram));
        board.ram = Ram::Kernel(ram);
        result
    }

    /// `nvram_set`: when the arena is full, the table is written to a scratch image and loaded from it, which
    /// silently drops what does not fit; then the set is tried again.
    ///
    /// # Errors
    /// When the arena is still full after that.
    pub fn set(&self, board: &mut Board, name: &[u8], value: &[u8]) -> Result<(), NoMemory> {
        let (arena, space) = (self.arena, board.space);
        let capacity = match arena {
            Arena::Fresh | Arena::Reused => u64::from(space),
            Arena::Double => u64::from(board.flash.geometry().size) * 2,
        };
        self.modify_ram(board, |ram| {
            if ram.try_set(arena, name, value, capacity).is_ok() {
                return Ok(());
            }
            self.consolidate(ram, &mut vec![0; space as usize]);
            ram.try_set(arena, name, value, capacity)
        })
    }

    /// `nvram_unset`.
    pub fn unset(&self, board: &mut Board, name: &[u8]) {
        if self.ram(board).table.get(name).is_some() {
            self.modify_ram(board, |ram| {
                ram.temporary.remove(name);
                ram.table.unset(name)
            });
        }
    }

    /// Whether commits leave the variable `name` out (`nvram_set` with `is_temp` of Padavan's driver).
    pub fn mark_temporary(&self, board: &mut Board, name: &[u8], temporary: bool) {
        if self.ram(board).temporary.contains(name) == temporary {
            return;
        }
        self.modify_ram(board, |ram| {
            if temporary {
                ram.temporary.insert(name.to_vec());
            } else {
                ram.temporary.remove(name);
            }
        });
    }

    /// Removes all variables from RAM (`nvram_clear` of Padavan's driver).
    pub fn clear(&self, board: &mut Board) {
        board.ram = Ram::Kernel(Arc::new(KernelRam::empty(self)));
    }

    /// `_nvram_commit`: writes the table to `image` and reloads it from there. Returns the `len` of the header.
    pub(super) fn consolidate(&self, ram: &mut KernelRam, image: &mut [u8]) -> u32 {
        let space = image.len();
        let Ok(written) = serialise(&ram.table, self.format, image, space) else {
            return 0;
        };
        let image_at = ram.image_at;
        *ram = KernelRam::reload(self, &ram.table, written, image);
        ram.image_at = image_at;
        written.len
    }

    /// `nvram_getall` into a buffer of `capacity` bytes: chain by chain, head to tail; an entry that does not
    /// fit ends its chain. Calls `each` with every entry `name=value NUL`, and returns the bytes used.
    pub fn getall<'t>(table: &'t Table, capacity: usize, mut each: impl FnMut(&'t [u8])) -> usize {
        let mut used = 0;
        for chain in 0..table.chains() {
            for entry in table.chain_entries(chain) {
                if capacity - used <= entry.len() {
                    break;
                }
                used += entry.len();
                each(entry);
            }
        }
        used
    }
}
