//! The flash device: pure, in memory, cheap to fork.
//!
//! A program operation only clears bits, an erase sets every bit of its block. Every operation is counted,
//! timed and logged, and power can be cut after any byte of any operation. Blocks are shared between clones
//! until one of them writes, so a snapshot costs the blocks that change.

mod chip;
mod flash;
mod op;
mod sum;

pub use chip::{Chip, Kind};
pub use flash::{Flash, Geometry, GeometryError};
pub use op::{Cut, Op, OpError, OpKind, OpLog};
