//! The dialects: modules for the `nvram` tools and for the kernel drivers that they use.
//!
//! To add a dialect:
//! 1. write `dialect/NAME.rs` with a type that implements [`Tool`]; for a tool over a Broadcom-like kernel
//!    driver, describe the driver as a [`kernel::Driver`], so that the module contains only the command line;
//! 2. add it to [`Dialect`] with its [`DialectInfo`]; a generation of a firmware that users know by another name is a
//!    dialect of its own, with a suffix, such as `padavan-ng`;
//! 3. test its commands, exit codes, size line, limits, and the flash operations of a commit; add its recordings to
//!    tests/data/golden and a case to tests/it/golden_machine.rs;
//! 4. set [`DialectInfo::verified`] only when recordings of the real tool agree, and say what was not run;
//! 5. `leaselab device dialects --markdown > docs/dialects.md`.

mod broadcom;
mod info;
pub mod kernel;
pub mod openwrt;
mod registry;
mod state;
mod tool;
mod vendor;

pub use info::{DialectInfo, FreeSpaceSource, Verification};
pub use registry::{Dialect, UnknownDialect, markdown_table};
pub use state::{
    Board, Fault, Files, FlashLoad, Halt, InvalidRamFile, Loaded, NoFiles, OutputBuffers, ProcMtd,
    Ram, ReadFile, Signal, Variables,
};
pub(crate) use state::{KERNEL_HEADER, KERNEL_MAGIC};
pub use tool::{ImageLayout, Tool};
