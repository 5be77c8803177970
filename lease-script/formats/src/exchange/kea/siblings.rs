//! The files of a database during a cleanup (`Memfile_LeaseMgr::loadLeasesFromFiles` and kea-lfc).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// The role of a file of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The file to which the server appends.
    Current,
    /// `.1`: the file to be cleaned up.
    Input,
    /// `.2`: the result of the previous cleanup.
    Previous,
    /// `.completed`: the result of a cleanup that was interrupted before it removed the other files.
    Completed,
    /// `.output`: the incomplete result of a cleanup, which the server does not read.
    Output,
}

impl Role {
    const SUFFIXES: [(Self, &'static [u8]); 4] = [
        (Self::Input, b".1"),
        (Self::Previous, b".2"),
        (Self::Completed, b".completed"),
        (Self::Output, b".output"),
    ];
}

/// Returns the name of the current file of the database to which a file belongs, and the role of the file.
pub fn stem(name: &OsStr) -> (OsString, Role) {
    let bytes = name.as_bytes();
    let found = Role::SUFFIXES.into_iter().find_map(|(role, suffix)| {
        let stem = bytes.strip_suffix(suffix).filter(|stem| !stem.is_empty())?;
        Some((OsString::from_vec(stem.to_vec()), role))
    });
    found.unwrap_or_else(|| (name.to_owned(), Role::Current))
}

/// Returns the names of the files that the server reads, in its order. `exists` tells which files exist.
pub fn siblings(stem: &OsStr, exists: impl Fn(&OsStr) -> bool) -> Vec<OsString> {
    let named = |suffix: &str| {
        let mut name = stem.to_owned();
        name.push(suffix);
        name
    };
    let completed = named(".completed");
    let before = if exists(&completed) { vec![completed] } else { vec![named(".2"), named(".1")] };
    before.into_iter().chain([stem.to_owned()]).filter(|name| exists(name)).collect()
}
