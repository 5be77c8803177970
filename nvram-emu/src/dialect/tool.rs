//! The interface of an `nvram` tool.

use super::state::{Board, Driver, Halt, Loaded, OutputBuffers, Variables};
use crate::flsh::{ChainRule, Format, Insert};

/// How an image is written.
#[derive(Clone, Copy, Debug)]
pub struct ImageLayout {
    /// Hash chain of a name.
    pub rule: ChainRule,
    /// Position of a new name in its chain.
    pub insert: Insert,
    /// Header, fill and padding.
    pub format: Format,
}

impl ImageLayout {
    /// The layout of a kernel driver.
    pub(super) fn of(driver: &Driver) -> Self {
        Self { rule: driver.rule, insert: driver.insert, format: driver.format }
    }
}

/// An `nvram` tool, which runs command lines on a board.
pub trait Tool: Sync {
    /// Runs one command line; `args` does not include the program name. Returns the exit code.
    ///
    /// # Errors
    /// [`Halt::PowerLost`] when an armed cut occurred, [`Halt::Fault`] where the real tool would crash.
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt>;

    /// The kernel driver below the tool; `None` where RAM is a staging file (OpenWrt).
    fn driver(&self) -> Option<&'static Driver>;

    /// How the tool or its driver writes an image.
    fn layout(&self) -> ImageLayout;

    /// The variables that the tool reads now: those in RAM, or those that a boot would load from flash. `None` if it cannot open its store.
    /// Does not change RAM.
    fn load_ram(&self, board: &Board) -> Option<Loaded>;

    /// The variables that a boot would load from flash; `None` if there is no valid image.
    fn load_flash(&self, board: &Board) -> Option<Loaded>;

    /// Performs the actions of a boot before the first command: a kernel driver loads its table. If the real kernel
    /// crashes at the boot, every command reports that.
    fn boot(&self, board: &mut Board) {
        if let Some(driver) = self.driver() {
            let _ = driver.boot(board);
        }
    }

    /// The variables that `get` finds now, in the order of `show`; `None` if the tool cannot open its store.
    /// Does not change RAM.
    fn variables(&self, board: &Board) -> Option<Variables> {
        self.load_ram(board).map(|loaded| loaded.variables())
    }

    /// The variables that a boot would load from flash; `None` if there is no valid image.
    fn flash_variables(&self, board: &Board) -> Option<Variables> {
        self.load_flash(board).map(|loaded| loaded.variables())
    }
}
