//! Atomic replacement of files: readers see either the old or the new contents.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat, readlinkat};
use rustix::process::geteuid;

use crate::trusted_folder::{MAX_LINKS, is_in_proc, open_folder, path_of};

/// Replaces a file through a temporary file and `rename`. After an error, the file still has its old contents.
///
/// | at the path | what happens |
/// |---|---|
/// | nothing, a file | it is created or replaced |
/// | a symbolic link of this user or of root | the file to which it leads is replaced |
/// | a symbolic link of another user | refused |
/// | a FIFO, a device, an open descriptor such as /dev/stdout | it is opened and written |
/// | a folder | refused |
/// | a folder of the path is a symbolic link of another user, and this user is root | refused |
///
/// # Errors
/// If the file or its folder cannot be written.
pub fn write_atomically(path: &Path, text: &[u8]) -> io::Result<()> {
    match resolve(path)? {
        Target::Opened(mut file) => file.write_all(text),
        Target::File { folder, name, path } => {
            let folder_path = path_of(&folder, folder_of(&path));
            let mut file = new_temporary_file(&folder_path)?;
            file.write_all(text)?;
            file.as_file().sync_all()?;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            // Replaces a symbolic link that somebody has put there meanwhile, and does not follow it.
            file.persist(folder_path.join(name)).map_err(|error| error.error)?;
            Ok(())
        }
    }
}

/// What a path leads to.
enum Target {
    /// A file or nothing, by the descriptor of its folder and its name; and its path.
    File { folder: OwnedFd, name: OsString, path: PathBuf },
    /// A FIFO, a device or a descriptor.
    Opened(File),
}

/// The folder of a path.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Follows symbolic links, each of which is read from the descriptor whose owner was checked.
fn resolve(path: &Path) -> io::Result<Target> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let folder = open_folder(CWD, folder_of(&path))?;
        let Some(name) = path.file_name().map(OsStr::to_owned) else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let entry = match openat(&folder, &name, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => return Ok(Target::File { folder, name, path }),
            entry => entry?,
        };
        let status = fstat(&entry)?;
        match FileType::from_raw_mode(status.st_mode) {
            FileType::RegularFile => return Ok(Target::File { folder, name, path }),
            FileType::Directory => return Err(io::ErrorKind::IsADirectory.into()),
            FileType::Symlink if is_in_proc(&entry)? => {
                return File::options().write(true).open(&path).map(Target::Opened);
            }
            FileType::Symlink => {
                if status.st_uid != 0 && status.st_uid != geteuid().as_raw() {
                    return Err(io::Error::other("a symbolic link of another user"));
                }
                let link = readlinkat(&entry, "", Vec::new())?;
                path = folder_of(&path).join(OsStr::from_bytes(link.as_bytes()));
            }
            _ => return open_special(&folder, &name).map(Target::Opened),
        }
    }
    Err(io::Error::from(rustix::io::Errno::LOOP))
}

/// Opens a FIFO or a device for writing, if it still is one.
fn open_special(folder: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        return Err(io::Error::other("replaced by a file at this moment"));
    }
    Ok(file)
}

/// Creates a temporary file in a folder. Unlike those of `tempfile`, the error does not name the temporary file, which
/// means nothing to the user.
///
/// # Errors
/// If the folder does not exist or cannot be written to.
pub fn new_temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    open_folder(CWD, folder)?;
    tempfile::NamedTempFile::new_in(folder).map_err(|error| error.kind().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn own_links_are_followed_and_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        fs::create_dir(file("links")).expect("a folder");
        symlink("../link", file("links/far")).expect("a link");
        symlink("file", file("link")).expect("a link");
        for text in ["first", "second"] {
            write_atomically(&file("links/far"), text.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(file("file")).expect("a file"), text);
        }
        assert!(fs::symlink_metadata(file("link")).expect("a link").is_symlink());
        symlink("loop", file("loop")).expect("a link");
        assert!(write_atomically(&file("loop"), b"").is_err());
        assert!(write_atomically(&file("links"), b"").is_err());
    }

    #[test]
    fn links_of_other_users_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (victim, link) = (folder.path().join("victim"), folder.path().join("link"));
        fs::write(&victim, "precious").expect("a file");
        symlink(&victim, &link).expect("a link");
        let stranger = geteuid().as_raw() + 1;
        if std::os::unix::fs::lchown(&link, Some(stranger), None).is_err() {
            // Only root can make a link of another user.
            return;
        }
        let error = write_atomically(&link, b"x").expect_err("refused");
        assert_eq!(error.to_string(), "a symbolic link of another user");
        assert_eq!(fs::read_to_string(&victim).expect("a file"), "precious");
    }

    #[test]
    fn descriptors_and_devices_are_written_in_place() {
        let mut file = tempfile::tempfile().expect("a file");
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        write_atomically(Path::new(&path), b"text").expect("written");
        let mut text = String::new();
        io::Seek::rewind(&mut file).expect("rewound");
        io::Read::read_to_string(&mut file, &mut text).expect("text");
        assert_eq!(text, "text");
        write_atomically(Path::new("/dev/null"), b"x").expect("written");
        assert!(!fs::metadata("/dev/null").expect("a device").is_file());
    }
}
