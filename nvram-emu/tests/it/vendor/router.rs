//! A router in memory, whose commands return transcripts.

use std::fmt::Write as _;

use nvram_emu::device::{Chip, Flash, Geometry};
use nvram_emu::{CommandOutput, Dialect, Exit, Machine};

/// Sizes in bytes: the partition, an erase block, the NVRAM.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) size: u32,
    pub(super) erase: u32,
    pub(super) space: u32,
}

/// An NVRAM of the size of a 64 KiB partition with one erase block.
pub(super) const ONE_BLOCK: Layout = Layout { size: 0x1_0000, erase: 0x1_0000, space: 0x1_0000 };

pub(super) struct Router {
    layout: Layout,
    machine: Machine,
}

impl Router {
    /// A router of `dialect` with erased flash, just booted.
    pub(super) fn new(dialect: &str, layout: Layout) -> Self {
        let geometry = Geometry::new(layout.size, layout.erase).expect("a possible flash");
        let flash = Flash::erased(geometry, Chip::SPI_NOR);
        let dialect: Dialect = dialect.parse().expect("a known dialect");
        Self { layout, machine: Machine::new(dialect, flash, Some(layout.space)) }
    }

    /// Runs one command and returns a transcript: stdout, stderr lines after `! `, flash operations after `~ `, and
    /// the exit code after `= ` if it is not 0.
    pub(super) fn bytes(&mut self, args: &[&[u8]]) -> String {
        self.machine.take_ops();
        let CommandOutput { stdout, stderr, exit } = self.machine.run(args);
        let mut text = visible(&stdout);
        for line in visible(&stderr).split_inclusive('\n') {
            write!(text, "! {line}").expect("a string");
        }
        for op in self.machine.take_ops() {
            writeln!(text, "~ {op}").expect("a string");
        }
        match exit {
            Exit::Code(0) => {}
            Exit::Code(code) => writeln!(text, "= {code}").expect("a string"),
            Exit::PowerLost => text.push_str("= power lost\n"),
        }
        text
    }

    /// Runs one command line, which is split at spaces.
    pub(super) fn sh(&mut self, words: &str) -> String {
        self.bytes(&words.split_whitespace().map(str::as_bytes).collect::<Vec<_>>())
    }

    pub(super) fn reboot(&mut self) {
        self.machine.reboot();
    }

    pub(super) fn cut(&mut self, op: u64, byte: u32) {
        self.machine.arm_cut(op, byte);
    }

    pub(super) fn flash(&self) -> Vec<u8> {
        self.machine.flash_bytes().into_owned()
    }

    /// Replaces bytes of the flash without an operation.
    pub(super) fn poke(&mut self, at: u32, bytes: &[u8]) {
        self.machine.board_mut().flash.overwrite(at, bytes);
    }

    /// Replaces the firmware and keeps the flash.
    pub(super) fn reflash(&mut self, dialect: &str) {
        let dialect: Dialect = dialect.parse().expect("a known dialect");
        let flash = self.machine.flash().clone();
        self.machine = Machine::new(dialect, flash, Some(self.layout.space));
    }
}

/// Bytes as text, in which everything except printable ASCII is escaped.
fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'\n' | b' '..=b'~' => text.push(char::from(byte)),
            _ => write!(text, "\\x{byte:02x}").expect("a string"),
        }
    }
    text
}
