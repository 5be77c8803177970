//! The dialects: modules for the `nvram` tools and for the kernel drivers that they use.
//!
//! To add a dialect:
//! 1. write `dialect/NAME.rs` with a type that implements [`Tool`]; for a tool over a Broadcom-like kernel
//!    driver, describe the driver as a [`kernel::Driver`], so that the module contains only the command line;
//! 2. add it to [`Dialect`] with its [`DialectInfo`];
//! 3. test its commands, exit codes, size line, limits, and the flash operations of a commit;
//! 4. set `verified` only when recordings of the real tool agree.

mod broadcom;
mod info;
pub mod kernel;
pub mod openwrt;
mod registry;
mod state;
mod tool;
mod vendor;

pub use info::{DialectInfo, FreeSpaceSource};
pub use registry::{Dialect, UnknownDialect};
pub use state::{
    Board, FlashLoad, Halt, InvalidRamFile, Loaded, OutputBuffers, ProcMtd, Ram, Variables,
};
pub(crate) use state::{KERNEL_HEADER, KERNEL_MAGIC};
pub use tool::Tool;
