//! The flash device: in memory, without side effects, cheap to clone.
//!
//! A program operation only clears bits, and an erase sets all bits of its block. Every operation is counted,
//! timed and logged, and power can be cut after any byte of any operation. Clones share pages copy-on-write, so a
//! snapshot costs only the pages that change.

mod chip;
mod cow_pages;
mod flash;
mod op;

pub use chip::{Chip, FlashKind};
pub use flash::{Flash, Geometry, GeometryError};
pub use op::{Cut, Op, OpError, OpKind, OpLog};
