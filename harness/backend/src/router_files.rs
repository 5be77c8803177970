//! The files of a router, besides its flash.

use std::sync::Arc;

use sandbox::FileTree;

/// The files that the programs of a router keep. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RouterFiles {
    /// The files in RAM. An empty tree stands for the folders that exist after a boot.
    pub ram: Arc<FileTree>,
    /// The contents of the persistent folders, by path relative to the root.
    pub persistent: Arc<FileTree>,
}
