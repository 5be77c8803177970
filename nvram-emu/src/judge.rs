//! What each program that loads an image does with the one in flash: the boot loader, the kernel, the tool.

use std::fmt;

use crate::dialect::kernel::BootCheck;
use crate::dialect::{Board, Dialect};
use crate::flsh::{HEADER_LEN, Header, MAGIC, crc_from, find_magic};
use crate::machine::Machine;

/// A program that loads an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loader {
    /// Broadcom's boot loader. The check was read from source code, not run.
    Cfe,
    /// The kernel.
    Kernel,
    /// The tool, where it reads the flash itself.
    ToolReading,
    /// The tool before it writes.
    ToolWriting,
}

impl Loader {
    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cfe => "CFE",
            Self::Kernel => "kernel",
            Self::ToolReading => "tool reads",
            Self::ToolWriting => "tool writes",
        }
    }
}

/// What a program does with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It loads the image.
    Loads,
    /// It loads the image although the CRC is wrong.
    IgnoresCrc,
    /// It ignores or refuses the image.
    Rejects(&'static str),
    /// It crashes at every boot.
    Crashes(&'static str),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loads => f.write_str("loads it"),
            Self::IgnoresCrc => f.write_str("loads it, since it does not check the CRC"),
            Self::Rejects(reason) => write!(f, "rejects it: {reason}"),
            Self::Crashes(reason) => write!(f, "crashes at every boot: {reason}"),
        }
    }
}

/// The image in flash and what the programs do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReport {
    /// Where the header is, or is expected.
    pub offset: u32,
    /// Bytes from there to the end of the NVRAM.
    pub space: u32,
    /// The header as it is.
    pub header: Header,
    /// The CRC of the image; `None` if its length is impossible.
    pub crc: Option<u8>,
    /// What each program does.
    pub verdicts: Vec<(Loader, Verdict)>,
}

/// Judges the image in the flash of `machine`; `None` if the partition has no room for a header.
pub fn judge(machine: &Machine) -> Option<ImageReport> {
    let (dialect, board) = (machine.dialect(), machine.board());
    let size = board.flash.geometry().size;
    let offset = match dialect.tool().driver() {
        Some(driver) => driver.image_offset(board)?,
        None => find_magic(&board.flash.bytes(), size as usize).unwrap_or(0) as u32,
    };
    let space = (size - offset).min(board.space);
    let image = board.flash.range(offset, space);
    let header = Header::read(&image)?;
    let len = header.len as usize;
    let crc_start = dialect.tool().layout().format.crc_start;
    let crc = (HEADER_LEN..=image.len()).contains(&len).then(|| crc_from(&image, crc_start, len));
    let state = State { header, intact: crc == Some(header.crc()), has_len: crc.is_some() };
    let mut verdicts = Vec::new();
    if let Some(check) = boot_loader(dialect) {
        verdicts.push((Loader::Cfe, state.verdict(check)));
    }
    match dialect.tool().driver() {
        Some(driver) => verdicts.push((Loader::Kernel, state.verdict(driver.boot_check))),
        None => verdicts.extend(openwrt(board, &state, space)),
    }
    Some(ImageReport { offset, space, header, crc, verdicts })
}

struct State {
    header: Header,
    intact: bool,
    has_len: bool,
}

impl State {
    fn verdict(&self, check: BootCheck) -> Verdict {
        let loads = if self.intact { Verdict::Loads } else { Verdict::IgnoresCrc };
        if self.header.magic != MAGIC {
            return Verdict::Rejects("no magic");
        }
        match check {
            BootCheck::MagicOrCrash | BootCheck::MagicOrSearch
                if (self.header.len as usize) < HEADER_LEN =>
            {
                Verdict::Crashes("the length is below 20")
            }
            BootCheck::MagicAndLen | BootCheck::Crc if !self.has_len => {
                Verdict::Rejects("the length is below 20 or above the NVRAM")
            }
            BootCheck::Crc if !self.intact => Verdict::Rejects("the CRC is wrong"),
            _ => loads,
        }
    }
}

/// bcm47xx_nvram.c of torvalds/linux, and the tool.
fn openwrt(board: &Board, state: &State, space: u32) -> [(Loader, Verdict); 3] {
    let reading = state.verdict(BootCheck::Magic);
    let writing = match reading {
        Verdict::Loads | Verdict::IgnoresCrc if state.header.len >= space => {
            Verdict::Rejects("the length is not below the space, so every write fails")
        }
        other => other,
    };
    let kernel = if board.flash.geometry().size < 0x8000 {
        Verdict::Rejects("the partition is smaller than 32 KiB")
    } else {
        reading
    };
    [(Loader::Kernel, kernel), (Loader::ToolReading, reading), (Loader::ToolWriting, writing)]
}

/// What Broadcom's boot loader checks: the CRC, except in the SDK of 2012 on MIPS (shared/nvram/nvram_rw.c).
fn boot_loader(dialect: Dialect) -> Option<BootCheck> {
    match dialect {
        Dialect::DdWrt | Dialect::Padavan | Dialect::PadavanNg => None,
        Dialect::Broadcom | Dialect::BroadcomStock => Some(BootCheck::Magic),
        _ => Some(BootCheck::Crc),
    }
}
