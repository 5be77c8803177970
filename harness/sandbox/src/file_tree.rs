//! A snapshot of a folder and everything below it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::io;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps, UTIME_OMIT, chmodat,
    mkdirat, openat2, readlinkat, statat, symlinkat, utimensat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::mounts::step;
use crate::octets::Octets;
use crate::plain_file::{
    folder_mode, names, open_changeable, open_folder, read_plain_at, remove, write_plain_at,
};

/// Maximum length of a file in bytes. Longer files are truncated.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// Maximum number of entries. Further entries are ignored.
const MAX_ENTRIES: usize = 10_000;

/// Maximum depth of nested folders. Deeper entries are ignored.
const MAX_DEPTH: usize = 64;

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// A folder, with its permissions.
    Folder(u32),
    /// A file.
    File {
        /// The contents.
        data: Octets,
        /// The permissions.
        mode: u32,
        /// The modification time, in seconds and nanoseconds since 1970.
        modified: (i64, u32),
    },
    /// A symbolic link, with its target.
    Link(Octets),
}

/// The entries below a folder by their paths relative to it. Sockets, pipes and devices are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileTree(pub BTreeMap<Octets, Node>);

/// Leaves out the modification time, because states that differ only in it are equivalent.
impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        mem::discriminant(self).hash(state);
        match self {
            Self::Folder(mode) => mode.hash(state),
            Self::File { data, mode, .. } => (data, mode).hash(state),
            Self::Link(target) => target.hash(state),
        }
    }
}

impl Node {
    /// Creates a file that everybody can read.
    pub fn file(data: impl Into<Vec<u8>>) -> Self {
        Self::File { data: Octets(data.into()), mode: 0o644, modified: (0, 0) }
    }

    /// Creates a folder that everybody can read.
    pub fn folder() -> Self {
        Self::Folder(0o755)
    }

    /// Creates a symbolic link.
    pub fn link(target: &str) -> Self {
        Self::Link(Octets(target.as_bytes().to_vec()))
    }

    /// Returns the contents if this is a file.
    pub fn contents(&self) -> Option<&[u8]> {
        match self {
            Self::File { data, .. } => Some(&data.0),
            Self::Folder(_) | Self::Link(_) => None,
        }
    }
}

impl FileTree {
    /// Reads a folder, which must not be a symbolic link.
    ///
    /// # Errors
    /// If the folder or one of its entries cannot be read. An entry that disappears in the meantime is not an error.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_below(&open_folder(CWD, folder)?, &[], 0)?;
        Ok(tree)
    }

    fn read_below(&mut self, folder: &OwnedFd, prefix: &[u8], depth: usize) -> io::Result<()> {
        for name in names(folder)? {
            if self.0.len() >= MAX_ENTRIES {
                return Ok(());
            }
            match self.read_entry(folder, &name, prefix, depth) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn read_entry(
        &mut self,
        folder: &OwnedFd,
        name: &Path,
        prefix: &[u8],
        depth: usize,
    ) -> io::Result<()> {
        let Some(node) = read_node(folder, name)? else { return Ok(()) };
        let is_folder = matches!(node, Node::Folder(_));
        let mut path = [prefix, name.as_os_str().as_bytes()].concat();
        self.0.insert(Octets(path.clone()), node);
        if is_folder && depth < MAX_DEPTH {
            path.push(b'/');
            self.read_below(&open_folder(folder, name)?, &path, depth + 1)?;
        }
        Ok(())
    }

    /// Adds the entries of another tree below this path.
    pub fn graft(&mut self, path: &str, other: Self) {
        for (name, node) in other.0 {
            let joined = [path.as_bytes(), b"/", &name.0].concat();
            self.0.insert(Octets(joined), node);
        }
    }

    /// Makes the contents of a folder, which must not be a symbolic link, equal to this tree. Entries that are already equal
    /// are not touched, so that a folder of the tree can be a mount point.
    ///
    /// # Errors
    /// If an entry cannot be removed or created.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let root = open_folder(CWD, folder)?;
        self.remove_others(&root, &[])?;
        for (name, node) in &self.0 {
            let shown = String::from_utf8_lossy(&name.0);
            step(&format!("/{shown}"), create(&root, Path::new(OsStr::from_bytes(&name.0)), node))?;
        }
        Ok(())
    }

    /// Removes all entries that are missing in this tree or differ from it.
    fn remove_others(&self, folder: &OwnedFd, prefix: &[u8]) -> io::Result<()> {
        for name in names(folder)? {
            let mut path = [prefix, name.as_os_str().as_bytes()].concat();
            let wanted = self.0.get(&Octets(path.clone()));
            let is_folder = folder_mode(folder, &name)?.is_some();
            if is_folder && matches!(wanted, Some(Node::Folder(_))) {
                path.push(b'/');
                self.remove_others(&open_changeable(folder, &name)?, &path)?;
            } else if is_folder || wanted.is_none() || read_node(folder, &name)?.as_ref() != wanted
            {
                remove(folder, &name)?;
            }
        }
        Ok(())
    }

    /// Returns how many pages of 4 KiB the contents of the files occupy.
    pub fn pages(&self) -> u64 {
        let contents = self.0.values().filter_map(Node::contents);
        contents.map(|contents| contents.len().div_ceil(4096) as u64).sum()
    }

    /// Writes a file, and creates the folders above it. Removes the file if `contents` is `None`.
    pub fn set(&mut self, path: &str, contents: Option<&[u8]>) {
        let name = |path: &str| Octets(path.as_bytes().to_vec());
        let Some(contents) = contents else {
            self.0.remove(&name(path));
            return;
        };
        for (at, _) in path.match_indices('/') {
            self.0.entry(name(&path[..at])).or_insert_with(Node::folder);
        }
        let mode = match self.0.get(&name(path)) {
            Some(Node::File { mode, .. }) => *mode,
            _ => 0o644,
        };
        let data = Octets(contents.to_vec());
        self.0.insert(name(path), Node::File { data, mode, modified: (0, 0) });
    }

    /// Returns the contents of a file.
    pub fn contents(&self, path: &str) -> Option<&[u8]> {
        self.0.get(&Octets(path.as_bytes().to_vec()))?.contents()
    }
}

/// Reads an entry of a folder. Returns `None` for a socket, a pipe or a device.
fn read_node(folder: &OwnedFd, name: &Path) -> io::Result<Option<Node>> {
    let status = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = status.st_mode & 0o7777;
    Ok(match FileType::from_raw_mode(status.st_mode) {
        FileType::Directory => Some(Node::Folder(mode)),
        FileType::Symlink => {
            Some(Node::Link(Octets(readlinkat(folder, name, Vec::new())?.into_bytes())))
        }
        FileType::RegularFile => Some(Node::File {
            data: Octets(read_plain_at(folder, name, MAX_BYTES)?),
            mode,
            modified: (status.st_mtime, status.st_mtime_nsec as u32),
        }),
        _ => None,
    })
}

/// Creates an entry if it is missing. No folder of the path may be a symbolic link.
fn create(root: &OwnedFd, path: &Path, node: &Node) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let folder = openat2(root, parent.unwrap_or(Path::new(".")), flags, Mode::empty(), resolve)?;
    let name = Path::new(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    let exists = match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => false,
        other => other.map(|_| true)?,
    };
    match node {
        Node::Folder(mode) => {
            let mode = Mode::from_raw_mode(*mode);
            if !exists {
                mkdirat(&folder, name, mode)?;
            }
            Ok(chmodat(&folder, name, mode, AtFlags::empty())?)
        }
        Node::Link(_) | Node::File { .. } if exists => Ok(()),
        Node::Link(target) => Ok(symlinkat(OsStr::from_bytes(&target.0), &folder, name)?),
        Node::File { data, mode, modified: (seconds, nanoseconds) } => {
            write_plain_at(&folder, name, &data.0)?;
            chmodat(&folder, name, Mode::from_raw_mode(*mode), AtFlags::empty())?;
            set_modified_at(&folder, name, *seconds, *nanoseconds)
        }
    }
}

/// Sets the modification time of a file.
pub(crate) fn set_modified(path: &Path, seconds: i64, nanoseconds: u32) -> io::Result<()> {
    set_modified_at(CWD, path, seconds, nanoseconds)
}

fn set_modified_at(
    folder: impl AsFd,
    name: &Path,
    seconds: i64,
    nanoseconds: u32,
) -> io::Result<()> {
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: i64::from(nanoseconds) as _ },
    };
    Ok(utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::mkfifoat;

    use super::*;

    #[test]
    fn writing_removes_whatever_is_in_the_way_and_follows_no_link() {
        let outer = tempfile::tempdir().expect("a folder");
        let path = |name: &str| outer.path().join(name);
        fs::create_dir(path("victim")).expect("a folder");
        fs::write(path("victim/file"), "precious").expect("written");
        fs::create_dir(path("ram")).expect("a folder");
        mkfifoat(CWD, path("ram/pid"), Mode::RWXU).expect("a pipe");
        symlink(path("victim"), path("ram/run")).expect("a link");
        symlink(path("victim/file"), path("ram/last")).expect("a link");
        for number in 0..MAX_ENTRIES {
            fs::write(path(&format!("ram/{number}")), "").expect("written");
        }
        let mut wanted = FileTree::default();
        for name in ["pid", "run/file", "last"] {
            wanted.set(name, Some(b"text"));
        }
        wanted.write(&path("ram")).expect("written");
        assert_eq!(FileTree::read(&path("ram")).expect("read"), wanted);
        assert_eq!(fs::read(path("victim/file")).expect("a file"), b"precious");
        symlink(path("victim"), path("link")).expect("a link");
        assert!(FileTree::default().write(&path("link")).is_err());
        assert!(FileTree::read(&path("link")).is_err());
    }

    #[test]
    fn a_folder_that_is_deeper_than_a_path_can_name_is_read_and_removed() {
        let outer = tempfile::tempdir().expect("a folder");
        let mut folder = open_folder(CWD, outer.path()).expect("opened");
        let name = "d".repeat(200);
        for _ in 0..2000 {
            mkdirat(&folder, &name, Mode::RWXU).expect("a folder");
            folder = open_folder(&folder, Path::new(&name)).expect("opened");
        }
        assert_eq!(FileTree::read(outer.path()).expect("read").0.len(), MAX_DEPTH + 1);
        FileTree::default().write(outer.path()).expect("removed");
        assert_eq!(fs::read_dir(outer.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn a_huge_file_is_truncated() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = fs::File::create(folder.path().join("sparse")).expect("a file");
        file.set_len(1 << 40).expect("a sparse file");
        let tree = FileTree::read(folder.path()).expect("read");
        assert_eq!(tree.contents("sparse").map(<[u8]>::len), Some(MAX_BYTES));
    }
}
