//! The status of a name in a directory.

/// The type of a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory, symbolic link, device or any other entry.
    Other,
}

/// The result of `lstat` for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The type of the entry.
    pub kind: Kind,
    /// The inode number. Two names with the same number refer to the same file.
    pub inode: u64,
    /// The length in bytes.
    pub length: u64,
    /// The time of the last change of the contents, in seconds and nanoseconds or on any clock that never goes back.
    pub modified: (i64, i64),
    /// The time of the last change of the contents, the names or the permissions.
    pub changed: (i64, i64),
}
