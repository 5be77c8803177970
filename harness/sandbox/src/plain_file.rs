//! Access to files that the programs of a router may have replaced with something else: a link out of the router's folder, a
//! pipe that blocks readers forever, or a file of terabytes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, chmodat, mkdirat, openat, openat2,
    renameat, statat, unlinkat,
};
use rustix::io::Errno;

/// Opens a file. Does not follow links, and does not wait for the other end of a pipe.
fn open(folder: impl AsFd, name: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    check(openat(folder, name, flags, Mode::from_raw_mode(0o666))?)
}

fn check(descriptor: OwnedFd) -> io::Result<File> {
    let file = File::from(descriptor);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a file")) }
}

fn read(file: File, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads up to `limit` bytes of a file. Does not follow links.
///
/// # Errors
/// If it cannot be read, or is not a regular file.
pub fn read_plain(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_plain_at(CWD, path, limit)
}

/// Like [`read_plain`], for a file of an open folder.
pub(crate) fn read_plain_at(folder: impl AsFd, name: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read(open(folder, name, OFlags::RDONLY)?, limit)
}

/// Writes a file. Does not follow links.
///
/// # Errors
/// If it cannot be written, or is not a regular file.
pub fn write_plain(path: &Path, contents: &[u8]) -> io::Result<()> {
    write_plain_at(CWD, path, contents)
}

/// Like [`write_plain`], for a file of an open folder.
pub(crate) fn write_plain_at(folder: impl AsFd, name: &Path, contents: &[u8]) -> io::Result<()> {
    open(folder, name, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC)?.write_all(contents)
}

/// Opens a file to append to it, and creates it if it does not exist. Does not follow links.
///
/// # Errors
/// If it cannot be opened, or is not a regular file.
pub fn append_plain(path: &Path) -> io::Result<File> {
    open(CWD, path, OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND)
}

/// Opens a folder. Does not follow links.
pub(crate) fn open_folder(parent: impl AsFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

/// Returns the names in a folder.
pub(crate) fn names(folder: impl AsFd) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            use std::os::unix::ffi::OsStrExt as _;
            names.push(PathBuf::from(OsStr::from_bytes(name)));
        }
    }
    Ok(names)
}

/// Returns the permissions of an entry if it is a folder.
pub(crate) fn folder_mode(parent: impl AsFd, name: &Path) -> io::Result<Option<u32>> {
    let status = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_folder = FileType::from_raw_mode(status.st_mode) == FileType::Directory;
    Ok(is_folder.then_some(status.st_mode & 0o7777))
}

/// Opens a folder. Makes it accessible to its owner first, because a program may have changed its permissions.
pub(crate) fn open_changeable(parent: impl AsFd, name: &Path) -> io::Result<OwnedFd> {
    if folder_mode(&parent, name)?.is_some_and(|mode| mode & 0o700 != 0o700) {
        chmodat(&parent, name, Mode::RWXU, AtFlags::empty())?;
    }
    open_folder(parent, name)
}

/// Removes the entry with this name, whatever its type. A missing entry is not an error.
pub(crate) fn remove(parent: impl AsFd, name: &Path) -> io::Result<()> {
    match unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(_) if folder_mode(&parent, name)?.is_some() => remove_folder(&parent, name),
        Err(error) => Err(error.into()),
    }
}

/// Removes a folder. Nested folders are moved up before they are removed, so that the number of open descriptors and the
/// length of the paths do not grow with the depth.
fn remove_folder(parent: impl AsFd, name: &Path) -> io::Result<()> {
    let folder = open_changeable(&parent, name)?;
    let mut number = 0_u64;
    loop {
        let entries = names(&folder)?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            if folder_mode(&folder, &entry)?.is_none() {
                unlinkat(&folder, &entry, AtFlags::empty())?;
                continue;
            }
            let inner = open_changeable(&folder, &entry)?;
            for deeper in names(&inner)? {
                if folder_mode(&inner, &deeper)?.is_none() {
                    unlinkat(&inner, &deeper, AtFlags::empty())?;
                    continue;
                }
                _ = open_changeable(&inner, &deeper)?;
                loop {
                    number += 1;
                    let free = format!(".removed-{number}");
                    match renameat(&inner, &deeper, &folder, &free) {
                        Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                        moved => break moved?,
                    }
                }
            }
            unlinkat(&folder, &entry, AtFlags::REMOVEDIR)?;
        }
    }
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// A folder that is the root of all paths. Links in it resolve to entries below it, never outside.
#[derive(Debug)]
pub struct InnerRoot(OwnedFd);

impl InnerRoot {
    /// Opens the folder.
    ///
    /// # Errors
    /// If it cannot be opened, or is a link.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self(open_folder(CWD, folder)?))
    }

    fn descriptor(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        Ok(openat2(&self.0, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?)
    }

    /// Reads up to `limit` bytes of a file.
    ///
    /// # Errors
    /// If it cannot be read, or is not a regular file.
    pub fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        read(check(self.descriptor(path, OFlags::RDONLY)?)?, limit)
    }

    /// Opens the parent folder of an entry, and creates it if it is missing. Returns the folder and the name of the entry.
    fn open_parent<'p>(&self, path: &'p Path) -> io::Result<(OwnedFd, &'p OsStr)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut parent = PathBuf::new();
        let mut at = self.descriptor(&parent, folder)?;
        for component in path.parent().into_iter().flat_map(Path::components) {
            let Component::Normal(part) = component else { continue };
            parent.push(part);
            at = match self.descriptor(&parent, folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    mkdirat(&at, part, Mode::from_raw_mode(0o777))?;
                    self.descriptor(&parent, folder)?
                }
                other => other?,
            };
        }
        Ok((at, name))
    }

    /// Writes a new file and renames it, as an editor does, so that a reader never sees partial contents.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn replace(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let (folder, name) = self.open_parent(path)?;
        // The name begins with a dot, so that dnsmasq does not read it as a file of a `--dhcp-hostsdir`.
        let new = PathBuf::from(format!(".{}.new", name.to_string_lossy()));
        remove(&folder, &new)?;
        write_plain_at(&folder, &new, contents)?;
        Ok(renameat(&folder, &new, &folder, name)?)
    }

    /// Removes a file. A missing file is not an error.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        let (folder, name) = self.open_parent(path)?;
        match unlinkat(&folder, name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => Err(error.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::mkfifoat;

    use super::*;

    #[test]
    fn links_pipes_and_folders_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("victim"), "precious").expect("written");
        symlink(path("victim"), path("link")).expect("a link");
        mkfifoat(CWD, path("pipe"), Mode::RWXU).expect("a pipe");
        for name in ["link", "pipe", "."] {
            assert!(read_plain(&path(name), 10).is_err(), "{name}");
            assert!(write_plain(&path(name), b"x").is_err(), "{name}");
        }
        assert_eq!(read_plain(&path("victim"), 3).expect("read"), b"pre");
    }

    #[test]
    fn no_path_leads_out_of_an_inner_root() {
        let outer = tempfile::tempdir().expect("a folder");
        let path = |name: &str| outer.path().join(name);
        fs::create_dir_all(path("root/run")).expect("folders");
        fs::create_dir(path("victim")).expect("a folder");
        symlink(path("victim"), path("root/out")).expect("a link");
        symlink("/run", path("root/in")).expect("a link");
        let root = InnerRoot::open(&path("root")).expect("opened");
        assert!(root.replace(Path::new("out/file"), b"x").is_err());
        root.replace(Path::new("in/new/file"), b"x").expect("written");
        assert_eq!(root.read(Path::new("in/new/file"), 10).expect("read"), b"x");
        assert_eq!(fs::read(path("root/run/new/file")).expect("a file"), b"x");
        assert_eq!(fs::read_dir(path("victim")).expect("a folder").count(), 0);
        symlink("root", path("link")).expect("a link");
        assert!(InnerRoot::open(&path("link")).is_err());
    }
}
