//! Scratch folders, and the cleanup of these folders and of child processes when this process ends.
//!
//! * Dropping a [`Folder`] removes the scratch folder.
//! * If a signal ends the process, [`interrupt`] kills all descendants and removes the folders.
//! * After SIGKILL or a power cut, the folders remain. A later process removes them with [`remove_abandoned`].

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
