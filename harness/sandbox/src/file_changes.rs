//! The differences between two states of a folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::octets::Octets;

/// A change of a persistent file. Paths are relative to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileChange {
    /// A folder was created.
    CreateFolder(Octets),
    /// A file was created, or a symbolic link with this target.
    Create(Octets, Option<Octets>),
    /// A hard link was added: old and new name.
    Link(Octets, Octets),
    /// A file was renamed: old and new name.
    Rename(Octets, Octets),
    /// A file or a folder was removed.
    Remove(Octets),
    /// A file was truncated to this length.
    Truncate(Octets, usize),
    /// Bytes were written at this offset.
    Write(Octets, usize, Octets),
    /// The contents of a file or the entries of a folder were written to the medium (`fsync`).
    Sync(Octets),
    /// All files were written to the medium (`sync`).
    SyncAll,
}

/// A change, and the number of `nvram` commands of the call that had started before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedChange {
    /// Number of commands that had started before the change.
    pub commands: u32,
    /// The change.
    pub change: FileChange,
}

/// The observed state of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A folder.
    Folder,
    /// A regular file or a symbolic link.
    File {
        /// The inode number.
        inode: u64,
        /// The contents of a file, or the target of a link.
        data: Vec<u8>,
        /// Whether it is a symbolic link.
        link: bool,
    },
}

/// The entries of the persistent folders by their paths relative to the root.
pub(crate) type Entries = BTreeMap<Octets, Entry>;

/// Returns the changes that lead from one state to the next. `emptied` is a file that was first truncated to length 0, even
/// if the same bytes were then written to it again.
pub(crate) fn changes(
    before: &Entries,
    after: &Entries,
    emptied: Option<&Octets>,
) -> Vec<FileChange> {
    let mut changes = Vec::new();
    let inode = |entry: &Entry| match entry {
        Entry::Folder => None,
        Entry::File { inode, .. } => Some(*inode),
    };
    // Names that no longer exist or now refer to another file, by inode number.
    let mut gone: BTreeMap<u64, &Octets> = BTreeMap::new();
    for (name, entry) in before {
        if let Some(old) = inode(entry)
            && after.get(name).and_then(inode) != Some(old)
        {
            gone.insert(old, name);
        }
    }
    let old_names: BTreeMap<u64, &Octets> =
        before.iter().filter_map(|(name, entry)| Some((inode(entry)?, name))).collect();
    for (name, entry) in after {
        match entry {
            Entry::Folder => {
                if before.get(name) != Some(&Entry::Folder) {
                    changes.push(FileChange::CreateFolder(name.clone()));
                }
            }
            Entry::File { inode: number, data, link } => {
                let known = before.get(name).and_then(inode) == Some(*number);
                let mut old: &[u8] = &[];
                if (known || old_names.contains_key(number))
                    && let Some(Entry::File { data, .. }) =
                        before.get(old_names.get(number).copied().unwrap_or(name))
                {
                    old = data;
                }
                if !known {
                    changes.push(match (gone.remove(number), old_names.get(number)) {
                        (Some(from), _) => FileChange::Rename(from.clone(), name.clone()),
                        (None, Some(from)) => FileChange::Link((*from).clone(), name.clone()),
                        (None, None) => {
                            FileChange::Create(name.clone(), link.then(|| Octets(data.clone())))
                        }
                    });
                }
                if !link {
                    write_changes(name, old, data, emptied == Some(name), &mut changes);
                }
            }
        }
    }
    // The old name of a renamed file is not reported as removed.
    for name in before.keys().rev() {
        let renamed = changes
            .iter()
            .any(|change| matches!(change, FileChange::Rename(from, _) if from == name));
        if !after.contains_key(name) && !renamed {
            changes.push(FileChange::Remove(name.clone()));
        }
    }
    changes
}

/// Adds the changes of a file's contents to `changes`.
fn write_changes(
    name: &Octets,
    old: &[u8],
    new: &[u8],
    emptied: bool,
    changes: &mut Vec<FileChange>,
) {
    if emptied {
        if !old.is_empty() {
            changes.push(FileChange::Truncate(name.clone(), 0));
        }
        if !new.is_empty() {
            changes.push(FileChange::Write(name.clone(), 0, Octets(new.to_vec())));
        }
        return;
    }
    if new.len() < old.len() {
        changes.push(FileChange::Truncate(name.clone(), new.len()));
    }
    let common = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    if common == new.len() {
        return;
    }
    let tail = if new.len() > old.len() {
        0
    } else {
        let pairs = old[..new.len()].iter().rev().zip(new.iter().rev());
        pairs.take_while(|(old, new)| old == new).count().min(new.len() - common)
    };
    let bytes = new[common..new.len() - tail].to_vec();
    changes.push(FileChange::Write(name.clone(), common, Octets(bytes)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Octets {
        Octets(text.as_bytes().to_vec())
    }

    fn entries(files: &[(&str, u64, &str)]) -> Entries {
        let file = |(path, inode, text): &(&str, u64, &str)| {
            let entry = Entry::File { inode: *inode, data: text.as_bytes().to_vec(), link: false };
            (name(path), entry)
        };
        files.iter().map(file).collect()
    }

    #[test]
    fn a_new_file_is_created_and_written() {
        let found = changes(&entries(&[]), &entries(&[("jffs/a", 1, "text")]), None);
        let bytes = name("text");
        assert_eq!(
            found,
            [FileChange::Create(name("jffs/a"), None), FileChange::Write(name("jffs/a"), 0, bytes)]
        );
    }

    #[test]
    fn a_rename_over_another_file_is_one_change() {
        let before = entries(&[("jffs/a", 1, "old"), ("jffs/a.new", 2, "new")]);
        let found = changes(&before, &entries(&[("jffs/a", 2, "new")]), None);
        assert_eq!(found, [FileChange::Rename(name("jffs/a.new"), name("jffs/a"))]);
    }

    #[test]
    fn appended_and_overwritten_bytes_are_distinguished() {
        let before = entries(&[("a", 1, "one two three")]);
        let write = |text: &str| changes(&before, &entries(&[("a", 1, text)]), None);
        assert_eq!(write("one two three four"), [FileChange::Write(name("a"), 13, name(" four"))]);
        assert_eq!(write("one TWO three"), [FileChange::Write(name("a"), 4, name("TWO"))]);
        assert_eq!(write("one"), [FileChange::Truncate(name("a"), 3)]);
    }

    #[test]
    fn a_truncated_file_is_written_again_even_with_the_same_bytes() {
        let files = entries(&[("a", 1, "same")]);
        assert_eq!(changes(&files, &files, None), []);
        assert_eq!(
            changes(&files, &files, Some(&name("a"))),
            [FileChange::Truncate(name("a"), 0), FileChange::Write(name("a"), 0, name("same"))]
        );
    }

    #[test]
    fn a_missing_file_is_reported_as_removed() {
        let found = changes(&entries(&[("a", 1, "text")]), &entries(&[]), None);
        assert_eq!(found, [FileChange::Remove(name("a"))]);
    }
}
