//! The part of a router's RAM that `nvram` uses.

use std::borrow::Cow;
use std::sync::Arc;

use super::driver::Driver;
use super::kernel_ram::KernelRam;
use crate::flsh::{ScanEnd, Table};

/// First bytes of the staging file that stores the RAM of a kernel driver.
pub(crate) const KERNEL_MAGIC: &[u8; 8] = b"NVKRAM2\0";
/// Bytes before the variables: the magic, the used bytes of the value arena, and the offset of the image or
/// [`NO_OFFSET`], both as little-endian `u32`.
pub(crate) const KERNEL_HEADER: usize = KERNEL_MAGIC.len() + 8;
/// Stands for [`KernelRam::image_at`] being `None`.
const NO_OFFSET: u32 = u32::MAX;

/// RAM contents that a reboot clears.
#[derive(Clone, Debug)]
pub enum Ram {
    /// No command has run since the boot.
    Empty,
    /// The staging file of an OpenWrt tool.
    File(Arc<Vec<u8>>),
    /// The table of a kernel driver.
    Kernel(Arc<KernelRam>),
}

impl Ram {
    /// The contents of the `staging` file that stores this RAM; `None` when RAM is empty.
    ///
    /// For OpenWrt that is the staging file itself. For a kernel driver it is a header, the variables as
    /// `name=value NUL` in the order of [`Table::iter`], and if there are temporary variables a NUL and their names, each
    /// with its NUL.
    pub fn to_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Empty => None,
            Self::File(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Kernel(ram) => {
                let mut bytes = KERNEL_MAGIC.to_vec();
                bytes.extend_from_slice(&ram.arena_used.to_le_bytes());
                bytes.extend_from_slice(&ram.image_at.unwrap_or(NO_OFFSET).to_le_bytes());
                for (name, value) in ram.table.iter() {
                    for part in [name, b"=", value, b"\0"] {
                        bytes.extend_from_slice(part);
                    }
                }
                if !ram.temporary.is_empty() {
                    bytes.push(0);
                }
                for name in &ram.temporary {
                    bytes.extend_from_slice(name);
                    bytes.push(0);
                }
                Some(Cow::Owned(bytes))
            }
        }
    }

    /// Whether both are clones of the same contents. Contents are not compared: for equal contents that were built
    /// separately the result is `false`.
    pub(crate) fn shares_state(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Empty, Self::Empty) => true,
            (Self::File(a), Self::File(b)) => Arc::ptr_eq(a, b),
            (Self::Kernel(a), Self::Kernel(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Folds `f` over the pieces of RAM, for example to hash them; `None` when RAM is empty.
    pub fn fold<T>(&self, init: T, mut f: impl FnMut(T, &[u8]) -> T) -> Option<T> {
        match self {
            Self::Empty => None,
            Self::File(bytes) => Some(f(init, bytes)),
            Self::Kernel(ram) => {
                let init = f(init, &ram.arena_used.to_le_bytes());
                let init = f(init, &ram.image_at.unwrap_or(NO_OFFSET).to_le_bytes());
                let init = ram.temporary.iter().fold(init, |value, name| f(value, name));
                Some(ram.table.iter().fold(init, |value, (name, content)| {
                    let value = f(value, name);
                    f(value, content)
                }))
            }
        }
    }

    /// Parses the output of [`Ram::to_bytes`]. `driver` is the kernel driver of the dialect, if it has one.
    ///
    /// # Errors
    /// When the dialect has a kernel driver and the bytes are not its staging file.
    pub fn from_bytes(bytes: Vec<u8>, driver: Option<&Driver>) -> Result<Self, InvalidRamFile> {
        let Some(driver) = driver else {
            return Ok(Self::File(Arc::new(bytes)));
        };
        let rest = bytes.strip_prefix(KERNEL_MAGIC).ok_or(InvalidRamFile)?;
        let (arena_used, rest) = rest.split_first_chunk().ok_or(InvalidRamFile)?;
        let (image_at, area) = rest.split_first_chunk().ok_or(InvalidRamFile)?;
        let (table, end) = Table::restore(area, driver.rule, driver.insert);
        if end != ScanEnd::Regular {
            return Err(InvalidRamFile);
        }
        let entries: usize = table.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        let names = area.get(entries + 1..).unwrap_or_default();
        let temporary = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(Self::Kernel(Arc::new(KernelRam {
            table,
            arena_used: u32::from_le_bytes(*arena_used),
            image_at: Some(u32::from_le_bytes(*image_at)).filter(|at| *at != NO_OFFSET),
            temporary: temporary.map(<[u8]>::to_vec).collect(),
        })))
    }
}

/// The bytes are not a staging file of the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRamFile;
