//! A folder with everything below it, as a value.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::hash::{Hash, Hasher};
use std::io;
use std::mem;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};
use serde::{Deserialize, Serialize};

use crate::mounts::step;
use crate::octets::Octets;

/// Maximum length of a file in bytes. Longer files are truncated.
const MAX_BYTES: usize = 4 << 20;

/// Maximum number of entries. Further ones are ignored.
const MAX_ENTRIES: usize = 10_000;

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
        /// The time of the last change, in seconds and nanoseconds since 1970.
        modified: (i64, u32),
    },
    /// A symbolic link, with its target.
    Link(Octets),
}

/// The entries below a folder by path, each path relative to the folder. Sockets, pipes and devices are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileTree(pub BTreeMap<Octets, Node>);

/// The time of the last change is left out: it tells no two states apart that matter.
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
    /// A file that everybody can read.
    pub fn file(data: impl Into<Vec<u8>>) -> Self {
        Self::File { data: Octets(data.into()), mode: 0o644, modified: (0, 0) }
    }

    /// A folder that everybody can read.
    pub fn folder() -> Self {
        Self::Folder(0o755)
    }

    /// A symbolic link.
    pub fn link(target: &str) -> Self {
        Self::Link(Octets(target.as_bytes().to_vec()))
    }

    /// The contents, if it is a file.
    pub fn contents(&self) -> Option<&[u8]> {
        match self {
            Self::File { data, .. } => Some(&data.0),
            Self::Folder(_) | Self::Link(_) => None,
        }
    }
}

/// The path of an entry below `folder`.
fn path_in(folder: &Path, entry: &Octets) -> PathBuf {
    folder.join(OsStr::from_bytes(&entry.0))
}

impl FileTree {
    /// Reads a folder.
    ///
    /// # Errors
    /// If the folder or one of its entries cannot be read. An entry that disappears meanwhile is no error.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_below(folder, &[])?;
        Ok(tree)
    }

    fn read_below(&mut self, folder: &Path, prefix: &[u8]) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if self.0.len() >= MAX_ENTRIES {
                return Ok(());
            }
            match self.read_entry(&entry, prefix) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn read_entry(&mut self, entry: &fs::DirEntry, prefix: &[u8]) -> io::Result<()> {
        let mut name = prefix.to_vec();
        name.extend_from_slice(entry.file_name().as_bytes());
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            let target = fs::read_link(entry.path())?.into_os_string();
            self.0.insert(Octets(name), Node::Link(Octets(target.as_bytes().to_vec())));
        } else if kind.is_dir() {
            let mode = entry.metadata()?.permissions().mode() & 0o7777;
            self.0.insert(Octets(name.clone()), Node::Folder(mode));
            name.push(b'/');
            self.read_below(&entry.path(), &name)?;
        } else if kind.is_file() {
            self.0.insert(Octets(name), read_file(&entry.path())?);
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

    /// Makes the contents of a folder equal to this tree. Entries that are equal already are not touched, so that a folder of
    /// the tree can be a mount point.
    ///
    /// # Errors
    /// If an entry cannot be removed or created.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let present = Self::read(folder)?;
        for (name, node) in present.0.iter().rev() {
            let kept = match (self.0.get(name), node) {
                (Some(Node::Folder(_)), Node::Folder(_)) => true,
                (Some(wanted), node) => wanted == node,
                (None, _) => false,
            };
            let path = path_in(folder, name);
            match node {
                _ if kept => {}
                Node::Folder(_) => remove_if_exists(fs::remove_dir_all(&path))?,
                Node::File { .. } | Node::Link(_) => remove_if_exists(fs::remove_file(&path))?,
            }
        }
        for (name, node) in &self.0 {
            if present.0.get(name) != Some(node) {
                let shown = String::from_utf8_lossy(&name.0);
                step(&format!("/{shown}"), create(&path_in(folder, name), node))?;
            }
        }
        Ok(())
    }

    /// How many pages of 4 KiB the contents of its files take.
    pub fn pages(&self) -> u64 {
        let contents = self.0.values().filter_map(Node::contents);
        contents.map(|contents| contents.len().div_ceil(4096) as u64).sum()
    }

    /// Writes a file, with the folders above it; `None` removes it.
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

    /// The contents of a file.
    pub fn contents(&self, path: &str) -> Option<&[u8]> {
        self.0.get(&Octets(path.as_bytes().to_vec()))?.contents()
    }
}

fn read_file(path: &Path) -> io::Result<Node> {
    use std::os::unix::fs::MetadataExt as _;
    let mut data = fs::read(path)?;
    data.truncate(MAX_BYTES);
    let metadata = fs::metadata(path)?;
    Ok(Node::File {
        data: Octets(data),
        mode: metadata.permissions().mode() & 0o7777,
        modified: (metadata.mtime(), metadata.mtime_nsec() as u32),
    })
}

fn remove_if_exists(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn create(path: &Path, node: &Node) -> io::Result<()> {
    match node {
        Node::Folder(mode) => {
            match fs::create_dir(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                other => other?,
            }
            fs::set_permissions(path, Permissions::from_mode(*mode))
        }
        Node::Link(target) => symlink(OsStr::from_bytes(&target.0), path),
        Node::File { data, mode, modified: (seconds, nanoseconds) } => {
            fs::write(path, &data.0)?;
            fs::set_permissions(path, Permissions::from_mode(*mode))?;
            set_modified(path, *seconds, *nanoseconds)
        }
    }
}

/// Sets the time of the last change of a file.
pub(crate) fn set_modified(path: &Path, seconds: i64, nanoseconds: u32) -> io::Result<()> {
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: i64::from(nanoseconds) as _ },
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}
