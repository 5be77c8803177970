//! The flash device: pure, in memory, cheap to fork.
//!
//! A program operation only clears bits, an erase sets every bit of its block. Every operation is counted,
//! timed and logged, and power can be cut after any byte of any operation. Clones share their bytes, in pages,
//! until one of them writes: a snapshot costs the pages that change.

mod chip;
mod cow_pages;
mod fingerprint;
mod flash;
mod op;

pub use chip::{Chip, FlashKind};
pub use flash::{Flash, Geometry, GeometryError};
pub use op::{Cut, Op, OpError, OpKind, OpLog};
