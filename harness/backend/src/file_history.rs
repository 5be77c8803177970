//! The changes that one script call made to persistent files, and what a power cut can leave of them.
//!
//! What earlier calls wrote is on the medium: between two calls the kernel has time to write it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::ffi::OsStrExt as _;

use disk_model::{Disk, WriteOrdering, states_after_power_cut};
use lease_journal::{FileSystem as _, Mode};
use sandbox::{FileChange, FileTree, Node, Octets, RecordedChange, parents};

/// The changes of one call.
#[derive(Clone, Debug)]
pub struct FileHistory {
    /// The files before the call.
    before: FileTree,
    changes: Vec<RecordedChange>,
    /// How the file system orders writes; `None` if it is not known.
    ordering: Option<WriteOrdering>,
}

/// Files that a power cut can leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesAfterCut {
    /// The files.
    pub files: FileTree,
    /// Whether the file system is not known, and only one that delays writes can leave these files, such as UBIFS. JFFS2
    /// writes each change to NOR flash before the system call returns (`jffs2_write_end` and `jffs2_rename` of Linux).
    pub needs_delayed_writes: bool,
}

/// Maximum number of states after a power cut at one point.
const MAX_STATES: usize = 128;

/// JFFS2 writes the part of each page as a node of its own, which a mount ignores unless it is complete.
const PAGE: usize = 4096;

/// Stands at the end of the name of a folder on the simulated disk, whose names are paths.
const FOLDER: u8 = b'/';

/// Stands at the end of the name of a link, whose contents are its target.
const LINK: u8 = 0;

impl FileHistory {
    /// The changes of a call.
    pub(crate) fn new(
        before: FileTree,
        changes: Vec<RecordedChange>,
        ordering: Option<WriteOrdering>,
    ) -> Self {
        Self { before, changes, ordering }
    }

    /// Whether the call changed no persistent file.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Number of changes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// How many changes were made before `nvram` command `nth`, counted from 1, began.
    pub fn before_command(&self, nth: u32) -> usize {
        self.changes.iter().take_while(|change| change.commands < nth).count()
    }

    /// How many `nvram` commands had begun before change `index`, counted from 0.
    pub fn commands_before(&self, index: usize) -> u32 {
        self.changes.get(index).map_or(0, |change| change.commands)
    }

    /// The files as programs see them after this many changes.
    pub fn seen_after(&self, changes: usize) -> FileTree {
        self.tree(&self.disk(changes))
    }

    /// The files that are on the medium for certain at the end of the call, whatever the file system is.
    pub fn synced(&self) -> FileTree {
        let mut disk = self.disk(self.changes.len());
        disk.lose_power();
        self.tree(&disk)
    }

    /// The different states in which a power cut after this many changes can leave the files, in a fixed order. The first is
    /// the state that programs see.
    pub fn states_after(&self, changes: usize) -> Vec<FilesAfterCut> {
        self.states(changes, self.torn_writes(changes))
    }

    /// The same for a power cut after the call has ended, when no write is torn.
    pub fn states_at_end(&self) -> Vec<FilesAfterCut> {
        self.states(self.changes.len(), Vec::new())
    }

    fn states(&self, changes: usize, torn: Vec<FileTree>) -> Vec<FilesAfterCut> {
        let disk = self.disk(changes);
        let mut known = BTreeSet::new();
        let at_once = std::iter::once(self.tree(&disk)).chain(torn);
        let at_once = at_once.map(|files| FilesAfterCut { files, needs_delayed_writes: false });
        let delayed = states_after_power_cut(&disk).into_iter().map(|state| FilesAfterCut {
            files: self.tree(&state),
            needs_delayed_writes: self.ordering.is_none(),
        });
        at_once
            .chain(delayed)
            .filter(|state| {
                let mut hasher = DefaultHasher::new();
                state.files.hash(&mut hasher);
                known.insert(hasher.finish())
            })
            .take(MAX_STATES)
            .collect()
    }

    /// The files if the last of this many changes writes several pages, and only the first ones have reached the medium.
    fn torn_writes(&self, changes: usize) -> Vec<FileTree> {
        let Some(last) = changes.checked_sub(1) else { return Vec::new() };
        let Some(FileChange::Write(path, at, bytes)) = self.changes.get(last).map(|it| &it.change)
        else {
            return Vec::new();
        };
        let first = PAGE - at % PAGE;
        let torn = (first..bytes.0.len()).step_by(PAGE).map(|length| {
            let mut disk = self.disk(last);
            let part = Octets(bytes.0[..length].to_vec());
            _ = apply(&mut disk, &FileChange::Write(path.clone(), *at, part));
            self.tree(&disk)
        });
        torn.collect()
    }

    /// The disk after this many changes.
    fn disk(&self, changes: usize) -> Disk {
        let mut disk = Disk::new(self.ordering.unwrap_or(WriteOrdering::Reordering));
        for (path, node) in &self.before.0 {
            let (name, data): (_, &[u8]) = match node {
                Node::Folder(_) => (with(path, FOLDER), &[]),
                Node::Link(target) => (with(path, LINK), &target.0),
                Node::File { data, .. } => (path.0.clone(), &data.0),
            };
            disk.create_synced(OsStr::from_bytes(&name), data);
        }
        for change in self.changes.iter().take(changes) {
            // A change that does not fit, because another process interfered, is left out.
            _ = apply(&mut disk, &change.change);
        }
        disk
    }

    /// The files of a disk, with permissions and times as before the call where the path is the same.
    fn tree(&self, disk: &Disk) -> FileTree {
        let mut tree = FileTree::default();
        for (name, data) in disk.files() {
            let name = name.as_bytes();
            let path = Octets(
                name.strip_suffix(&[FOLDER])
                    .or(name.strip_suffix(&[LINK]))
                    .unwrap_or(name)
                    .to_vec(),
            );
            let node = match (name.last(), self.before.0.get(&path)) {
                (Some(&FOLDER), Some(folder @ Node::Folder(_))) => folder.clone(),
                (Some(&FOLDER), _) => Node::folder(),
                (Some(&LINK), _) => Node::Link(Octets(data.to_vec())),
                (_, Some(Node::File { mode, modified, .. })) => {
                    Node::File { data: Octets(data.to_vec()), mode: *mode, modified: *modified }
                }
                _ => Node::file(data),
            };
            tree.0.insert(path, node);
        }
        // A file whose folder is lost brings it back: no file system keeps one without the other.
        let paths: Vec<Octets> = tree.0.keys().cloned().collect();
        for path in paths {
            let text = String::from_utf8_lossy(&path.0).into_owned();
            for parent in parents(&text) {
                let parent = Octets(parent.as_bytes().to_vec());
                tree.0.entry(parent).or_insert_with(Node::folder);
            }
        }
        tree
    }
}

fn with(path: &Octets, end: u8) -> Vec<u8> {
    let mut name = path.0.clone();
    name.push(end);
    name
}

/// The name of an entry on the disk, whatever it is.
fn find(disk: &Disk, path: &Octets) -> Vec<u8> {
    [FOLDER, LINK]
        .into_iter()
        .map(|end| with(path, end))
        .find(|name| disk.contents(OsStr::from_bytes(name)).is_some())
        .unwrap_or_else(|| path.0.clone())
}

fn apply(disk: &mut Disk, change: &FileChange) -> Result<(), lease_journal::OperationError> {
    let os = OsStr::from_bytes;
    match change {
        FileChange::CreateFolder(path) => {
            disk.open(os(&with(path, FOLDER)), Mode::CreateNew)?;
        }
        FileChange::Create(path, None) => {
            disk.open(os(&path.0), Mode::CreateNew)?;
        }
        FileChange::Create(path, Some(target)) => {
            // A link is created with its target.
            disk.create_linked(os(&with(path, LINK)), &target.0);
        }
        FileChange::Link(old, new) => disk.link(os(&old.0), os(&new.0))?,
        FileChange::Rename(old, new) => {
            let name = find(disk, old);
            let mut target = new.0.clone();
            target.extend_from_slice(&name[old.0.len()..]);
            disk.rename(os(&name), os(&target))?;
        }
        FileChange::Remove(path) => disk.unlink(os(&find(disk, path)))?,
        FileChange::Truncate(path, length) => {
            let file = disk.open(os(&path.0), Mode::Append)?;
            disk.truncate(file, *length as u64)?;
        }
        FileChange::Write(path, at, bytes) => disk.write_at(os(&path.0), *at, &bytes.0)?,
        FileChange::Sync(path) => {
            let name = find(disk, path);
            if name.last() == Some(&FOLDER) {
                disk.fsync_dir()?;
            } else {
                let file = disk.open(os(&name), Mode::Append)?;
                disk.fsync(file)?;
            }
        }
        FileChange::SyncAll => disk.sync_all(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Octets {
        Octets(text.as_bytes().to_vec())
    }

    /// A script that writes a new file and renames it over the old one.
    fn replaced(sync: bool, ordering: Option<WriteOrdering>) -> FileHistory {
        let mut before = FileTree::default();
        before.0.insert(name("jffs"), Node::folder());
        before.0.insert(name("jffs/leases"), Node::file("old"));
        let new = || name("jffs/leases.new");
        let mut changes =
            vec![FileChange::Create(new(), None), FileChange::Write(new(), 0, name("new"))];
        changes.extend(sync.then_some(FileChange::SyncAll));
        changes.push(FileChange::Rename(new(), name("jffs/leases")));
        let changes =
            changes.into_iter().map(|change| RecordedChange { commands: 0, change }).collect();
        FileHistory::new(before, changes, ordering)
    }

    const REORDERING: Option<WriteOrdering> = Some(WriteOrdering::Reordering);

    fn leases(states: &[FilesAfterCut]) -> Vec<Option<String>> {
        let text = |state: &FilesAfterCut| {
            let bytes = state.files.contents("jffs/leases")?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        let mut found: Vec<Option<String>> = states.iter().map(text).collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn the_first_state_is_what_programs_see() {
        let history = replaced(false, REORDERING);
        let states = history.states_after(3);
        assert_eq!(states[0].files.contents("jffs/leases"), Some(&b"new"[..]));
        assert_eq!(states[0].files, history.seen_after(3));
    }

    #[test]
    fn a_rename_without_sync_can_leave_an_empty_file_and_with_sync_it_cannot() {
        let some = |text: &str| Some(text.to_owned());
        let after = |sync, changes| leases(&replaced(sync, REORDERING).states_after(changes));
        assert!(after(false, 3).contains(&some("")));
        assert_eq!(after(true, 4), [some("new"), some("old")]);
    }

    #[test]
    fn without_a_known_file_system_only_delayed_writes_lose_a_change() {
        let states = replaced(false, None).states_after(3);
        let (delayed, at_once): (Vec<_>, Vec<_>) =
            states.into_iter().partition(|state| state.needs_delayed_writes);
        assert_eq!(leases(&at_once), [Some("new".to_owned())]);
        assert!(leases(&delayed).contains(&Some(String::new())));
    }

    #[test]
    fn a_write_of_several_pages_can_end_after_each_of_them() {
        let write = FileChange::Write(name("jffs/a"), 4000, Octets(vec![b'x'; 5000]));
        let changes = [FileChange::Create(name("jffs/a"), None), write];
        let changes = changes.map(|change| RecordedChange { commands: 0, change }).to_vec();
        let states = FileHistory::new(FileTree::default(), changes, None).states_after(2);
        let at_once = states.iter().filter(|state| !state.needs_delayed_writes);
        let lengths = at_once.map(|state| state.files.contents("jffs/a").map_or(0, <[u8]>::len));
        assert_eq!(lengths.collect::<Vec<_>>(), [9000, 4096, 8192]);
    }

    #[test]
    fn what_was_not_synced_is_lost() {
        assert_eq!(replaced(false, None).synced().contents("jffs/leases"), Some(&b"old"[..]));
    }

    #[test]
    fn changes_are_placed_between_commands() {
        let mut history = replaced(false, None);
        history.changes[2].commands = 1;
        assert_eq!((history.before_command(1), history.before_command(2)), (2, 3));
        assert_eq!(history.commands_before(2), 1);
    }
}
