//! The file names in a folder, and changes to them.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// File names, each with the index of its node.
pub(crate) type Names = BTreeMap<OsString, usize>;

/// A change to the file names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NameChange {
    Add(OsString, usize),
    Remove(OsString, usize),
    Rename(OsString, OsString, usize),
}

/// Applies a change to the file names, as far as this is possible after earlier changes were lost.
pub(crate) fn apply_name(names: &mut Names, change: &NameChange) {
    match change {
        NameChange::Add(name, node) => {
            names.insert(name.clone(), *node);
        }
        NameChange::Remove(name, node) => {
            if names.get(name) == Some(node) {
                names.remove(name);
            }
        }
        NameChange::Rename(from, to, node) => {
            if names.get(from) == Some(node) {
                names.remove(from);
            }
            names.insert(to.clone(), *node);
        }
    }
}
