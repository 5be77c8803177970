//! The flash device: pure, in memory, cheap to fork.
//!
//! A program operation only clears bits, an erase sets every bit of its block. Every operation is counted,
//! timed and logged, and power can be cut after any byte of any operation. Clones share their bytes, in pages,
//! until one of them writes: a snapshot costs the pages that change.

mod cells;
mod chip;
mod flash;
mod op;
mod sum;

pub use chip::{Chip, Kind};
pub use flash::{Flash, Geometry, GeometryError};
pub use op::{Cut, Op, OpError, OpKind, OpLog};
