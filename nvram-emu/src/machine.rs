//! A whole router in memory: the fast target of explorations.

use std::borrow::Cow;

use crate::device::{Cut, Flash, Op, OpLog};
use crate::dialect::{
    Board, Dialect, FlashLoad, Halt, Loaded, OutputBuffers, ProcMtd, Ram, Variables,
};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this exit code.
    Code(u8),
    /// Power was lost: nothing was printed, RAM is gone. [`Machine::reboot`] brings power back.
    PowerLost,
}

/// What a command printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit code, or power loss.
    pub exit: Exit,
}

/// One router with its dialect of the tool. `Clone` shares what does not change.
#[derive(Clone, Debug)]
pub struct Machine {
    dialect: Dialect,
    board: Board,
}

impl Machine {
    /// A router that has just booted. `space` is the NVRAM size where the dialect has one apart from the
    /// partition's; `None`: the whole partition.
    pub fn new(dialect: Dialect, flash: Flash, space: Option<u32>) -> Self {
        let space = space.unwrap_or(flash.geometry().size);
        Self { dialect, board: Board::new(flash, space) }
    }

    /// The same, seeing another /proc/mtd.
    #[must_use]
    pub fn with_proc_mtd(mut self, proc_mtd: ProcMtd) -> Self {
        self.board.proc_mtd = proc_mtd;
        self
    }

    /// Runs one `nvram` command; `args` without the program's name, each without NUL bytes.
    pub fn run(&mut self, args: &[&[u8]]) -> CommandOutput {
        let mut out = OutputBuffers::default();
        let end = if self.board.flash.powered() {
            self.dialect.tool().run(&mut self.board, args, &mut out)
        } else {
            Err(Halt::PowerLost)
        };
        self.command_output(&end, out)
    }

    /// The outcome of a command that a tool ended so.
    pub(crate) fn command_output(
        &mut self,
        end: &Result<u8, Halt>,
        out: OutputBuffers,
    ) -> CommandOutput {
        match *end {
            Ok(code) => {
                CommandOutput { stdout: out.stdout, stderr: out.stderr, exit: Exit::Code(code) }
            }
            Err(Halt::PowerLost) => {
                self.board.ram = Ram::Empty;
                CommandOutput { stdout: Vec::new(), stderr: Vec::new(), exit: Exit::PowerLost }
            }
            Err(Halt::Fault(what)) => {
                let line = format!(
                    "nvram: {what} (the real tool reads or writes outside its memory here)\n"
                );
                CommandOutput { stdout: Vec::new(), stderr: line.into_bytes(), exit: Exit::Code(1) }
            }
        }
    }

    /// Power will fail in flash operation `op` (from 0, counted from now) after `byte` bytes.
    pub fn arm_cut(&mut self, op: u64, byte: u32) {
        self.board.flash.arm(Some(Cut { op, byte }));
    }

    /// Empties RAM and brings power back; an armed cut that did not hit is disarmed.
    pub fn reboot(&mut self) {
        self.board.ram = Ram::Empty;
        self.board.flash.power_on();
    }

    /// What a boot does by itself. [`Machine::reboot`] leaves it to the first command, which finds the same.
    pub fn boot(&mut self) {
        self.dialect.tool().boot(&mut self.board);
    }

    /// The same router with other bytes in flash and RAM, as damage leaves them. `None` where they cannot be: a
    /// partition of another size, or RAM that is none of the dialect's. Wear and logs start anew.
    pub fn with_contents(&self, flash: &[u8], ram: Option<Vec<u8>>) -> Option<Self> {
        let old = self.flash();
        if flash.len() != old.geometry().size as usize {
            return None;
        }
        let mut machine = self.clone();
        machine.board.flash =
            Flash::from_bytes(flash, old.geometry().erase_block, old.chip()).ok()?;
        machine.board.ram = match ram {
            Some(ram) => Ram::from_bytes(ram, self.dialect.tool().driver()).ok()?,
            None => Ram::Empty,
        };
        Some(machine)
    }

    /// Where the NVRAM begins in the partition: at its end, where the driver has a size of its own.
    pub fn nvram_offset(&self) -> u32 {
        if self.dialect.info().own_space {
            self.board.flash.geometry().size.saturating_sub(self.board.space)
        } else {
            0
        }
    }

    /// Whether flash and RAM are those of `other`, as far as that can be told without reading them.
    pub fn shares_state(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.board, &other.board);
        ours.flash.version() == theirs.flash.version() && ours.ram.shares_state(&theirs.ram)
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Flash, RAM and configuration.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The same, to be changed as the outside world can: a poke at the flash, a truncated staging file.
    pub fn board_mut(&mut self) -> &mut Board {
        &mut self.board
    }

    /// The flash device: bytes, wear, operation log.
    pub fn flash(&self) -> &Flash {
        &self.board.flash
    }

    /// Flash operations since the log was last taken.
    pub fn ops(&self) -> &[Op] {
        self.board.flash.log()
    }

    /// Takes the operation log.
    pub fn take_ops(&mut self) -> OpLog {
        self.board.flash.take_log()
    }

    /// The partition's bytes.
    pub fn flash_bytes(&self) -> Cow<'_, [u8]> {
        self.board.flash.bytes()
    }

    /// RAM as the contract's `staging` file holds it; `None` after a reboot.
    pub fn ram_bytes(&self) -> Option<Cow<'_, [u8]>> {
        self.board.ram.to_bytes()
    }

    /// What a boot makes of the flash; `None` where the tool finds no image that it reads. The image is loaded
    /// once for all clones.
    pub fn load_flash(&self) -> Option<Loaded> {
        self.dialect.tool().load_flash(&self.board)
    }

    /// What was made of the flash as it is, if it was read: for another machine of the kind that holds the same bytes.
    pub fn cached_load(&self) -> Option<FlashLoad> {
        self.board.loads.flash(self.board.flash.version())
    }

    /// The flash holds what `load` was made of: it need not be read.
    pub fn cache_load(&self, load: &FlashLoad) {
        self.board.loads.cache_flash(self.board.flash.version(), load);
    }

    /// What the tool reads now: RAM where there is something in it, else the flash.
    pub fn load_ram(&self) -> Option<Loaded> {
        self.dialect.tool().load_ram(&self.board)
    }

    /// The variables that `get` would find, in the order of `show`; `None` where the tool could not open its store.
    pub fn ram_variables(&self) -> Option<Variables> {
        self.dialect.tool().variables(&self.board)
    }

    /// The variables that a boot would load from flash; `None` without a valid image.
    pub fn flash_variables(&self) -> Option<Variables> {
        self.dialect.tool().flash_variables(&self.board)
    }
}
