//! What a tool works on: the flash, the RAM that a reboot empties, and the machine's configuration.

use std::borrow::Cow;
use std::sync::Arc;

use super::kernel::{Driver, KernelRam};
use crate::device::{Flash, OpError};
use crate::flsh::{End, Table};

/// Variables as (name, value), in some tool's order.
pub type Variables = Vec<(Vec<u8>, Vec<u8>)>;

/// The `/proc/mtd` that an OpenWrt tool sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcMtd {
    /// One line for `mtd0`, named "nvram", of the flash's size.
    Assumed,
    /// This text.
    Text(Arc<[u8]>),
    /// The file cannot be read.
    Missing,
}

/// What a reboot empties.
#[derive(Clone, Debug)]
pub enum Ram {
    /// Nothing: just booted.
    Empty,
    /// OpenWrt: the staging file.
    File(Arc<Vec<u8>>),
    /// A kernel driver's table.
    Kernel(Arc<KernelRam>),
}

/// A router, as far as its `nvram` tool sees it.
#[derive(Clone, Debug)]
pub struct Board {
    /// The partition.
    pub flash: Flash,
    /// RAM contents.
    pub ram: Ram,
    /// NVRAM size where the driver has its own (`NVRAM_SPACE`), bytes; the space lies at the partition's end.
    pub space: u32,
    /// Stand-in for `/proc/mtd`.
    pub proc_mtd: ProcMtd,
}

/// What a tool prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Appends one line to stdout.
    pub fn line(&mut self, parts: &[&[u8]]) {
        put_line(&mut self.stdout, parts);
    }

    /// Appends one line to stderr.
    pub fn err_line(&mut self, parts: &[&[u8]]) {
        put_line(&mut self.stderr, parts);
    }

    /// Appends `/dev/nvram: MESSAGE` to stderr, as `perror` does.
    pub fn perror(&mut self, message: &str) {
        self.err_line(&[b"/dev/nvram: ", message.as_bytes()]);
    }
}

fn put_line(to: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        to.extend_from_slice(part);
    }
    to.push(b'\n');
}

/// Why a command did not end by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The armed power cut hit.
    PowerLost,
    /// The real tool would read or write outside its mapping here, or crash: one line of explanation.
    Fault(&'static str),
}

/// For tools that pass on a device error as an errno of their own, power loss still ends everything.
impl Halt {
    /// `Err` when power is lost, else whether the operation worked.
    ///
    /// # Errors
    /// [`Halt::PowerLost`].
    pub fn check(result: Result<(), OpError>) -> Result<bool, Self> {
        match result {
            Ok(()) => Ok(true),
            Err(OpError::Io) => Ok(false),
            Err(OpError::PowerLost) => Err(Self::PowerLost),
        }
    }
}

/// Head of the staging file of a kernel driver's RAM: magic, then the arena's fill as u32 little endian.
pub(crate) const KERNEL_MAGIC: &[u8; 8] = b"NVKRAM1\0";

impl Ram {
    /// As the contract's `staging` file; `None` when RAM is empty.
    ///
    /// OpenWrt: the staging file itself. A kernel driver: the magic, the arena's fill, and the variables as
    /// `name=value NUL` from the head of chain 0 to the tail of chain 256.
    pub fn to_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Empty => None,
            Self::File(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Kernel(ram) => {
                let mut bytes = KERNEL_MAGIC.to_vec();
                bytes.extend_from_slice(&ram.arena.to_le_bytes());
                for (name, value) in ram.table.iter() {
                    for part in [name, b"=", value, b"\0"] {
                        bytes.extend_from_slice(part);
                    }
                }
                Some(Cow::Owned(bytes))
            }
        }
    }

    /// What [`Ram::to_bytes`] wrote; `driver` as the dialect has it.
    ///
    /// # Errors
    /// When a kernel driver's bytes are not such a file.
    pub fn from_bytes(bytes: Vec<u8>, driver: Option<&Driver>) -> Result<Self, BadRam> {
        let Some(driver) = driver else {
            return Ok(Self::File(Arc::new(bytes)));
        };
        let rest = bytes.strip_prefix(KERNEL_MAGIC).ok_or(BadRam)?;
        let (arena, area) = rest.split_first_chunk().ok_or(BadRam)?;
        let (table, end) = Table::restore(area, driver.rule, driver.insert);
        if end != End::Regular {
            return Err(BadRam);
        }
        Ok(Self::Kernel(Arc::new(KernelRam { table, arena: u32::from_le_bytes(*arena) })))
    }
}

/// A staging file that is none of the dialect's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRam;
