//! Mount operations whose errors name the failed step.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive};

/// Adds the name of the step to an error.
pub(crate) fn step<T, E: Into<io::Error>>(name: &str, result: Result<T, E>) -> io::Result<T> {
    result.map_err(|error| {
        let error: io::Error = error.into();
        io::Error::new(error.kind(), format!("{name}: {error}"))
    })
}

/// Mounts a file or a folder at a second path.
pub(crate) fn bind(source: &Path, target: &Path) -> io::Result<()> {
    step(&format!("mounting {}", source.display()), mount_bind(source, target))
}

/// Mounts a file or a folder read-only at a second path.
pub(crate) fn bind_read_only(source: &Path, target: &Path) -> io::Result<()> {
    bind(source, target)?;
    set_read_only(target, true, false)
}

/// Mounts a folder at a second path, with the mounts below it.
pub(crate) fn bind_all(source: &Path, target: &Path) -> io::Result<()> {
    step(&format!("mounting {}", source.display()), mount_bind_recursive(source, target))
}

/// Mounts an empty file system in memory. `size` is its limit in bytes.
pub(crate) fn memory(target: &Path, size: Option<u64>) -> io::Result<()> {
    let size = size.map(|size| format!(",size={size}")).unwrap_or_default();
    let options = CString::new(format!("mode=755{size}")).map_err(io::Error::other)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    step(
        &format!("mounting memory at {}", target.display()),
        mount("tmpfs", target, "tmpfs", flags, Some(options.as_c_str())),
    )
}

/// Makes a mount read-only or writable. `recursive` includes the mounts below it.
pub(crate) fn set_read_only(path: &Path, read_only: bool, recursive: bool) -> io::Result<()> {
    let target = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let flag = libc::MOUNT_ATTR_RDONLY;
    // SAFETY: all bytes zero is a valid value of this struct of numbers.
    let mut attributes: libc::mount_attr = unsafe { std::mem::zeroed() };
    if read_only {
        attributes.attr_set = flag;
    } else {
        attributes.attr_clr = flag;
    }
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the descriptor is open, the path is an empty C string, and the kernel only reads the struct.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            target.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of_val(&attributes),
        )
    };
    let access = if read_only { "read-only" } else { "writable" };
    let name = format!("making {} {access}", String::from_utf8_lossy(path.as_os_str().as_bytes()));
    step(&name, if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) })
}
