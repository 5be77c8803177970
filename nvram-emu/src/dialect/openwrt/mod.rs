//! OpenWrt's tool (package/utils/nvram/src), which uses a staging file in RAM, without a kernel driver and without locks.
//!
//! The steps of a write command are separate functions, so that two commands can be interleaved:
//!
//! | step | function |
//! |---|---|
//! | find the size of the partition | [`find_mtd`] |
//! | copy the partition to the staging file, if there is none | [`flash_to_staging`] |
//! | search, check and load the image | [`Handle::open`] |
//! | run one command | [`Handle::set`], `handle.table.get` and `unset` |
//! | write the table to the shared mapping of the staging file | [`Handle::serialise`] |
//! | write the staging file to the partition | [`staging_to_flash`] |
//! | unlink the staging file | [`remove_staging`] |
//!
//! [`OpenWrt::prepare`] runs all steps before the commit, [`OpenWrt::finish`] runs the commit.

mod cli;
mod steps;
mod variants;

pub use super::state::{Handle, OpenError, OpenMode, Variant};
pub use cli::{OpenWrt, Prepared};
pub(crate) use steps::part_size;
pub use steps::{find_mtd, flash_to_staging, remove_staging, staging_to_flash};
pub(super) use variants::{ARM, ARM_TOOL, HARDENED, HARDENED_TOOL, MIPS, MIPS_TOOL};
