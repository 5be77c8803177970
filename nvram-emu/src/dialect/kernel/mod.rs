//! Broadcom-like kernel drivers: a hash table in RAM behind `/dev/nvram`, and a commit to flash.
//!
//! [`Driver`] describes one driver; its methods are the driver's operations on a board.

mod boot;
mod commit;
mod operations;
mod placement;

pub use super::state::{
    Arena, BROADCOM, BROADCOM_2005, BROADCOM_2006, BROADCOM_ARM, BROADCOM_STOCK, BootCheck,
    CommitStrategy, DDWRT, Driver, KernelRam, NoMemory, PADAVAN,
};
pub use commit::CommitResult;
