//! A simulated folder on a disk, and the states that a power cut can leave.
//!
//! [`Disk`] is the folder as programs see it, together with the changes that have not reached the medium yet.
//! [`survivors`] enumerates what is left after a power cut, under the rules of a [`WriteOrdering`].

mod disk;
mod ordering;
mod survivors;

pub use disk::{Cut, Disk, Step};
pub use ordering::WriteOrdering;
pub use survivors::survivors;
