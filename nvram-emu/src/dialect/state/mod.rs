//! The state of a router that its tool uses: flash, RAM, and the variables that were loaded from them.
//!
//! The operations on it are in [`kernel`](super::kernel) and [`openwrt`](super::openwrt).

mod board;
mod driver;
mod files;
mod halt;
mod handle;
mod kernel_ram;
mod load_cache;
mod output;
mod ram;

pub use board::{Board, ProcMtd};
pub use driver::{
    Arena, BROADCOM, BROADCOM_2005, BROADCOM_2006, BROADCOM_ARM, BROADCOM_STOCK, BootCheck,
    CommitStrategy, DDWRT, Driver, PADAVAN,
};
pub use files::{Files, NoFiles, ReadFile};
pub use halt::{Fault, Halt, Signal};
pub use handle::{Handle, OpenError, OpenMode, Variant};
pub use kernel_ram::{KernelRam, NoMemory};
pub use load_cache::{FlashLoad, Loaded, Variables};
pub use output::OutputBuffers;
pub use ram::{InvalidRamFile, Ram};
pub(crate) use ram::{KERNEL_HEADER, KERNEL_MAGIC};
