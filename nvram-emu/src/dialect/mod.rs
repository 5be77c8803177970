//! The dialects: one file per `nvram` tool and the driver under it.
//!
//! How to add one:
//! 1. write `dialect/NAME.rs` with a type that implements [`Tool`]; a tool over a Broadcom-like kernel driver
//!    describes the driver as a [`kernel::Driver`] and keeps its words only;
//! 2. name it in [`Dialect`] with its [`DialectInfo`];
//! 3. test every cell of its row (words, exit codes, size line, limits, flash operations of a commit);
//! 4. set `proven` only once recordings of the real tool agree.

mod board;
mod broadcom;
mod commit;
pub mod kernel;
pub mod openwrt;
mod registry;
mod vendor;

pub(crate) use board::KERNEL_MAGIC;
pub use board::{
    Board, FlashLoad, Halt, InvalidRamFile, Loaded, OutputBuffers, ProcMtd, Ram, Variables,
};
pub use registry::{Dialect, DialectInfo, FreeSpaceSource, UnknownDialect};

/// One tool: what a command line does to a board.
pub trait Tool: Sync {
    /// Runs one command; `args` without the program's name. Returns the exit code.
    ///
    /// # Errors
    /// [`Halt::PowerLost`] when an armed cut hit, [`Halt::Fault`] where the real tool would crash.
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt>;

    /// The kernel driver under the tool; `None` where RAM is a staging file (OpenWrt).
    fn driver(&self) -> Option<&'static kernel::Driver>;

    /// What the tool reads now: RAM, or what a boot would make of the flash. `None` where it could not open its
    /// store. Does not change RAM.
    fn load_ram(&self, board: &Board) -> Option<Loaded>;

    /// What a boot would load from flash; `None` when it finds no valid image.
    fn load_flash(&self, board: &Board) -> Option<Loaded>;

    /// What a boot does before the first command: a kernel driver loads its table.
    fn boot(&self, board: &mut Board) {
        if let Some(driver) = self.driver() {
            driver.ram(board);
        }
    }

    /// The variables that the tool's `get` would find now, in the order of its `show`; `None` where it could
    /// not open its store. Does not change RAM.
    fn variables(&self, board: &Board) -> Option<Variables> {
        self.load_ram(board).map(|loaded| loaded.variables())
    }

    /// The variables that a boot would load from flash; `None` when it finds no valid image.
    fn flash_variables(&self, board: &Board) -> Option<Variables> {
        self.load_flash(board).map(|loaded| loaded.variables())
    }
}
