//! The persistent folders of a router.

use sandbox::{FileTree, Node, Octets, first_files, parents};

use disk_model::WriteOrdering;
use scenario::Unsynced;

/// The persistent folders of a router, and what a power cut does to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The folders as absolute paths, in ascending order.
    pub folders: Vec<String>,
    /// How many bytes they can hold together.
    pub size: Option<u64>,
    /// Their contents before the first boot, by path relative to the root.
    pub first: FileTree,
    /// Which of the changes that were not synced can survive a power cut; `None` if the file system is not known.
    pub ordering: Option<WriteOrdering>,
    /// What a power cut between two steps of a scenario does to changes that were not synced.
    pub unsynced: Unsynced,
    /// Whether power is cut, or the script killed, at changes of persistent files.
    pub has_faults: bool,
}

impl Storage {
    /// Folders with these contents. `None` stands for what the folder of this path contains by default.
    pub fn new(folders: impl IntoIterator<Item = (String, Option<FileTree>)>) -> Self {
        let mut first = FileTree::default();
        let mut paths = Vec::new();
        for (path, files) in folders {
            for parent in parents(&path) {
                let name = Octets(parent.as_bytes().to_vec());
                first.0.entry(name).or_insert_with(Node::folder);
            }
            first.graft(&path[1..], files.unwrap_or_else(|| first_files(&path)));
            paths.push(path);
        }
        paths.sort();
        paths.dedup();
        Self {
            folders: paths,
            size: None,
            first,
            ordering: None,
            unsynced: Unsynced::Kept,
            has_faults: false,
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::new(sandbox::PERSISTENT_FOLDERS.map(|path| (path.to_owned(), None)))
    }
}
