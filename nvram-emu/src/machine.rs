//! A whole router in memory.

use std::borrow::Cow;

use crate::device::{Cut, Flash, Op, OpLog};
use crate::dialect::{
    Board, Dialect, Fault, FlashLoad, Halt, Loaded, OutputBuffers, ProcMtd, Ram, Variables,
};
use crate::flsh::{HEADER_LEN, Table, serialise};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command exited with this code.
    Code(u8),
    /// Power was lost: there is no output, and RAM is empty. [`Machine::reboot`] restores power.
    PowerLost,
}

/// The output of a command and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// How the command ended.
    pub exit: Exit,
}

fn failed(line: String, code: u8) -> CommandOutput {
    CommandOutput { stdout: Vec::new(), stderr: line.into_bytes(), exit: Exit::Code(code) }
}

/// Variables do not fit into the NVRAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoesNotFit {
    /// Bytes of the header and of all variables.
    pub needed: usize,
    /// Bytes of the NVRAM.
    pub space: usize,
}

/// One router with its dialect of the tool. Clones share unchanged state, so cloning is cheap.
#[derive(Clone, Debug)]
pub struct Machine {
    dialect: Dialect,
    board: Board,
}

impl Machine {
    /// A freshly booted router. `space` is the NVRAM size in bytes for dialects whose driver sets the size; `None`
    /// stands for the whole partition.
    pub fn new(dialect: Dialect, flash: Flash, space: Option<u32>) -> Self {
        let space = space.unwrap_or(flash.geometry().size);
        Self { dialect, board: Board::new(flash, space) }
    }

    /// Sets the `/proc/mtd` that an OpenWrt tool reads.
    #[must_use]
    pub fn with_proc_mtd(mut self, proc_mtd: ProcMtd) -> Self {
        self.board.proc_mtd = proc_mtd;
        self
    }

    /// Runs one `nvram` command. `args` does not include the program name; arguments must not contain NUL bytes.
    pub fn run(&mut self, args: &[&[u8]]) -> CommandOutput {
        let mut out = OutputBuffers::default();
        let end = if self.board.flash.powered() {
            self.dialect.tool().run(&mut self.board, args, &mut out)
        } else {
            Err(Halt::PowerLost)
        };
        self.command_output(&end, out)
    }

    /// Converts the result of a tool.
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
            Err(Halt::Fault(Fault { what, signal })) => {
                let line = format!(
                    "nvram: {what} (the real tool reads or writes outside its memory here)\n"
                );
                failed(line, signal.exit_code())
            }
            Err(Halt::KernelCrash(what)) => {
                failed(format!("nvram: {what} (the real kernel crashes at every boot here)\n"), 1)
            }
        }
    }

    /// Arms a power cut in flash operation `op`, counted from 0 starting with the next operation, after `byte` bytes.
    pub fn arm_cut(&mut self, op: u64, byte: u32) {
        self.board.flash.arm(Some(Cut { op, byte }));
    }

    /// Clears RAM, restores power, and disarms a cut that has not occurred.
    pub fn reboot(&mut self) {
        self.board.ram = Ram::Empty;
        self.board.flash.power_on();
    }

    /// Loads RAM as a boot does. Optional after [`Machine::reboot`], since the first command does it otherwise.
    pub fn boot(&mut self) {
        self.dialect.tool().boot(&mut self.board);
    }

    /// A copy of the router with other flash and RAM contents, without wear and log. `None` if `flash` does not have
    /// the size of the partition, or `ram` is not a staging file of the dialect.
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

    /// A copy of the router whose flash holds an image with these variables, as its tool or driver would write it. RAM is
    /// empty, and the chip is new.
    ///
    /// # Errors
    /// When the variables do not fit into the NVRAM.
    pub fn with_variables(&self, variables: &[(Vec<u8>, Vec<u8>)]) -> Result<Self, DoesNotFit> {
        let layout = self.dialect.tool().layout();
        let mut table = Table::new(layout.rule, layout.insert);
        for (name, value) in variables {
            table.set(name, value);
        }
        let offset = self.nvram_offset() as usize;
        let mut bytes = self.flash_bytes().into_owned();
        let space = (self.board.space as usize).min(bytes.len() - offset);
        let needed = HEADER_LEN + table.iter().map(|(n, v)| n.len() + v.len() + 2).sum::<usize>();
        let refused = DoesNotFit { needed, space };
        let written = serialise(&table, layout.format, &mut bytes[offset..], space);
        // OpenWrt's tool refuses to write an image that fills the NVRAM.
        let is_full = |len: u32| self.dialect.openwrt().is_some() && len as usize >= space;
        match written {
            Ok(written) if written.dropped == 0 && !is_full(written.len) => {}
            _ => return Err(refused),
        }
        self.with_contents(&bytes, None).ok_or(refused)
    }

    /// Offset of the NVRAM in the partition: where a boot looks for the image, which is usually the end of the partition.
    pub fn nvram_offset(&self) -> u32 {
        let driver = self.dialect.tool().driver();
        driver.and_then(|driver| driver.image_offset(&self.board)).unwrap_or(0)
    }

    /// Whether flash and RAM are unchanged clones of those of `other`. Contents are not compared, so the contents may be
    /// equal although the result is `false`.
    pub fn shares_state(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.board, &other.board);
        ours.flash.version() == theirs.flash.version() && ours.ram.shares_state(&theirs.ram)
    }

    /// The dialect of the tool.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Flash, RAM and configuration.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Flash, RAM and configuration for changes from outside, for example a damaged byte or a truncated staging
    /// file.
    pub fn board_mut(&mut self) -> &mut Board {
        &mut self.board
    }

    /// The flash device: bytes, wear, operation log.
    pub fn flash(&self) -> &Flash {
        &self.board.flash
    }

    /// The flash operations since the last [`Machine::take_ops`].
    pub fn ops(&self) -> &[Op] {
        self.board.flash.log()
    }

    /// Returns the operation log and clears it.
    pub fn take_ops(&mut self) -> OpLog {
        self.board.flash.take_log()
    }

    /// The contents of the partition.
    pub fn flash_bytes(&self) -> Cow<'_, [u8]> {
        self.board.flash.bytes()
    }

    /// RAM as the `staging` file of a device stores it; `None` if RAM is empty, as after a reboot.
    pub fn ram_bytes(&self) -> Option<Cow<'_, [u8]>> {
        self.board.ram.to_bytes()
    }

    /// What a boot would load from flash; `None` if there is no valid image. Clones share the result.
    pub fn load_flash(&self) -> Option<Loaded> {
        self.dialect.tool().load_flash(&self.board)
    }

    /// The cached load of the current flash, for reuse by a machine with identical contents.
    pub fn cached_load(&self) -> Option<FlashLoad> {
        self.board.loads.flash(self.board.flash.version())
    }

    /// Stores the load of identical flash contents, so that they are not parsed again.
    pub fn cache_load(&self, load: &FlashLoad) {
        self.board.loads.cache_flash(self.board.flash.version(), load);
    }

    /// What the tool reads now: RAM, or the flash if RAM is empty. `None` if the tool cannot open its store.
    pub fn load_ram(&self) -> Option<Loaded> {
        self.dialect.tool().load_ram(&self.board)
    }

    /// The variables that `get` finds, in the order of `show`; `None` if the tool cannot open its store.
    pub fn ram_variables(&self) -> Option<Variables> {
        self.dialect.tool().variables(&self.board)
    }

    /// The variables that a boot would load from flash; `None` if there is no valid image.
    pub fn flash_variables(&self) -> Option<Variables> {
        self.dialect.tool().flash_variables(&self.board)
    }
}
