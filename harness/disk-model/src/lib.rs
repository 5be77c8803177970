//! A folder on a simulated disk, and the states that a power cut can leave.
//!
//! [`Disk`] is the folder as programs see it, together with the changes that have not reached the medium yet.
//! [`states_after_power_cut`] enumerates the possible states after a power cut, under the rules of a [`WriteOrdering`].
//! [`IoFault`] makes calls fail, and [`Disk::damage`] changes the data on the medium.

#![forbid(unsafe_code)]

mod disk;
mod fault;
mod names;
mod node;
mod ordering;
mod power_cut;

pub use disk::Disk;
pub use fault::{Cut, IoFault, Step};
pub use ordering::WriteOrdering;
pub use power_cut::states_after_power_cut;
