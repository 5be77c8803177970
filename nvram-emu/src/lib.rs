//! The flash device, the FLSH image, and the dialects of the `nvram` tool.

pub mod device;
pub mod dialect;
pub mod emu;
pub mod flsh;
mod machine;

pub use dialect::Dialect;
pub use machine::{Exit, Machine, Outcome};
