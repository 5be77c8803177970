//! The folder of an output, which no other user may lead elsewhere.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, fstatfs, mkdirat, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Largest number of symbolic links that are followed, as in the kernel.
pub(crate) const MAX_LINKS: usize = 40;

/// The type of /proc in `statfs` (linux/magic.h).
const PROC_SUPER_MAGIC: i64 = 0x9fa0;

/// The owner of files of users that a user namespace does not have (`/proc/sys/kernel/overflowuid`).
const OVERFLOW_UID: u32 = 65_534;

/// An open folder for outputs.
#[derive(Debug)]
pub struct OutputFolder {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl OutputFolder {
    /// A path that leads to the folder whatever happens to its name, as long as this exists.
    pub fn path(&self) -> PathBuf {
        path_of(&self.descriptor, &self.path)
    }
}

/// Creates a folder and those above it.
///
/// # Errors
/// If it cannot be created, or root would follow a symbolic link of another user to it.
pub fn create_folder(path: &Path) -> io::Result<OutputFolder> {
    let descriptor = walk(CWD.as_fd(), path, IfMissing::Create)?;
    Ok(OutputFolder { descriptor, path: path.to_owned() })
}

/// Creates a folder, in which no other user has put a link in place of a file.
///
/// # Errors
/// Those of [`create_folder`], and if there is a folder of another user.
pub fn create_own_folder(path: &Path) -> io::Result<OutputFolder> {
    let folder = create_folder(path)?;
    if fstat(&folder.descriptor)?.st_uid != geteuid().as_raw() {
        return Err(io::Error::other("the folder of another user"));
    }
    Ok(folder)
}

/// What happens to folders of a path that do not exist.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfMissing {
    Fail,
    Create,
}

/// Opens a folder.
pub(crate) fn open_folder(start: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    walk(start, path, IfMissing::Fail)
}

/// Opens a folder. Root follows only its own symbolic links on the way, each of which is read from the descriptor whose owner
/// was checked: the owner of another one decides where the path leads.
fn walk(start: impl AsFd, path: &Path, if_missing: IfMissing) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(start, ".", flags, Mode::empty())?;
    let mut names: VecDeque<OsString> = VecDeque::new();
    put_first(&mut names, path);
    let mut links = 0;
    while let Some(name) = names.pop_front() {
        let entry_flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let entry = match openat(&folder, &name, entry_flags, Mode::empty()) {
            Err(Errno::NOENT) if if_missing == IfMissing::Create => {
                match mkdirat(&folder, &name, Mode::from_raw_mode(0o777)) {
                    Err(Errno::EXIST) => {}
                    made => made?,
                }
                openat(&folder, &name, entry_flags, Mode::empty())?
            }
            entry => entry?,
        };
        let status = fstat(&entry)?;
        folder = match FileType::from_raw_mode(status.st_mode) {
            FileType::Symlink if is_in_proc(&entry)? => {
                openat(&folder, &name, flags, Mode::empty())?
            }
            FileType::Symlink => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::LOOP.into());
                }
                if geteuid().is_root() && !is_of_root(status.st_uid) {
                    let name = Path::new(&name).display();
                    return Err(io::Error::other(format!(
                        "the folder {name} is a symbolic link of another user"
                    )));
                }
                let link = readlinkat(&entry, "", Vec::new())?;
                put_first(&mut names, Path::new(OsStr::from_bytes(link.as_bytes())));
                continue;
            }
            FileType::Directory => entry,
            _ => return Err(io::ErrorKind::NotADirectory.into()),
        };
    }
    Ok(folder)
}

/// Puts the names of a path before others.
fn put_first(names: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        if component != Component::CurDir {
            names.push_front(component.as_os_str().to_owned());
        }
    }
}

/// Whether a file belongs to root, or to a user that this user namespace does not have, as the machine's root may be.
fn is_of_root(owner: u32) -> bool {
    owner == 0 || (owner == OVERFLOW_UID && is_in_user_namespace())
}

fn is_in_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    !map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Links in /proc stand for open descriptors; they cannot be read as paths.
pub(crate) fn is_in_proc(link: &impl AsFd) -> io::Result<bool> {
    Ok(fstatfs(link)?.f_type == PROC_SUPER_MAGIC)
}

/// A path of an open folder that leads nowhere else whatever happens to its name; `otherwise` where /proc is missing.
pub(crate) fn path_of(folder: &OwnedFd, otherwise: &Path) -> PathBuf {
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(folder));
    let path = PathBuf::from(path);
    if path.is_dir() { path } else { otherwise.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{lchown, symlink};

    #[test]
    fn own_links_to_folders_are_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("a/b")).expect("folders");
        symlink("a/../a", folder.path().join("near")).expect("a link");
        symlink(folder.path().join("near/b"), folder.path().join("far")).expect("a link");
        create_folder(&folder.path().join("far/./../new/newer")).expect("created");
        assert!(folder.path().join("a/new/newer").is_dir());
        symlink("loop", folder.path().join("loop")).expect("a link");
        assert!(create_folder(&folder.path().join("loop/x")).is_err());
    }

    #[test]
    fn a_folder_stays_the_same_when_its_name_leads_elsewhere() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("new/kept");
        let folder = create_own_folder(&path).expect("created");
        fs::rename(&path, place.path().join("moved")).expect("renamed");
        symlink(place.path(), &path).expect("a link");
        fs::write(folder.path().join("file"), "x").expect("written");
        assert!(place.path().join("moved/file").is_file());
        // Only root can give a folder to another user.
        if lchown(place.path().join("moved"), Some(geteuid().as_raw() + 1), None).is_ok() {
            let error = create_own_folder(&place.path().join("moved")).expect_err("refused");
            assert_eq!(error.to_string(), "the folder of another user");
        }
    }

    #[test]
    fn root_follows_no_link_of_another_user_to_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("link");
        fs::create_dir(folder.path().join("victim")).expect("a folder");
        symlink("victim", &link).expect("a link");
        // Only root can make a link of another user.
        if lchown(&link, Some(geteuid().as_raw() + 1), None).is_err() {
            return;
        }
        for path in ["link", "link/new", "victim/../link/new"] {
            let error = create_folder(&folder.path().join(path)).expect_err("refused");
            assert_eq!(error.to_string(), "the folder link is a symbolic link of another user");
        }
        let written = crate::write_atomically(&link.join("file"), b"x").expect_err("refused");
        assert!(written.to_string().contains("a symbolic link of another user"), "{written}");
        assert_eq!(fs::read_dir(folder.path().join("victim")).expect("a folder").count(), 0);
    }
}
