//! Scratch folders, and what happens to them and to child processes when this process ends.
//!
//! * [`Folder`]: a scratch folder. Dropping it removes it.
//! * A signal that ends the process ([`interrupt`]): kills every descendant, and removes the folders.
//! * SIGKILL, or a power cut: the folders remain. [`remove_abandoned`] of the next process removes them.

#![forbid(unsafe_code)]

mod abandoned;
mod descendants;
mod folder;
pub mod interrupt;
mod place;
mod registry;
mod removal;

pub use abandoned::remove_abandoned;
pub use folder::Folder;
pub use place::is_full;
