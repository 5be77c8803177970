//! A private view of the file system for scripts: their own `/tmp`, and the emulated tool as `/usr/sbin/nvram`, the
//! path that scripts of *WRT firmware use.
//!
//! The view is made with user and mount namespaces of the agent process. Nothing outside of them changes, and no privileges
//! are needed where the kernel allows unprivileged user namespaces.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::protocol::Root;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind_recursive, mount_change};
use rustix::process::{getgid, getuid};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// The folder in which the emulated `nvram` appears.
const SBIN: &str = "/usr/sbin";

/// The `leaselab` executable in the scratch folder.
pub(super) const LEASELAB: &str = "bin/leaselab";

/// Moves this process into its own namespaces and sets up the private view.
///
/// `scratch` must not lie under `/tmp`. The process must have a single thread.
///
/// # Errors
/// The error of the kernel, with the name of the failed step.
pub(super) fn enter(scratch: &Path, leaselab: &Path, root: Root) -> io::Result<()> {
    if root == Root::Shared {
        return Ok(());
    }
    let executable = scratch.join(LEASELAB);
    set_up(scratch, leaselab, &executable, root).inspect_err(|_| {
        // In this case scripts run without a private root, so the executable must be reachable again.
        if fs::symlink_metadata(&executable).is_ok_and(|data| data.is_file()) {
            _ = fs::remove_file(&executable).and_then(|()| symlink(leaselab, &executable));
        }
    })
}

fn set_up(scratch: &Path, leaselab: &Path, executable: &Path, root: Root) -> io::Result<()> {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    let user = match root {
        Root::Private => UnshareFlags::NEWUSER,
        Root::Mounts | Root::Shared => UnshareFlags::empty(),
    };
    // SAFETY: the flags do not unshare file descriptors.
    let unshared = unsafe { unshare_unsafe(user | UnshareFlags::NEWNS) };
    step("user and mount namespaces", unshared.map_err(Into::into))?;
    if root == Root::Private {
        step("/proc/self/setgroups", fs::write("/proc/self/setgroups", "deny"))?;
        step("/proc/self/uid_map", fs::write("/proc/self/uid_map", format!("0 {uid} 1\n")))?;
        step("/proc/self/gid_map", fs::write("/proc/self/gid_map", format!("0 {gid} 1\n")))?;
    }
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    step("making mounts private", mount_change("/", private).map_err(Into::into))?;

    fs::remove_file(executable)?;
    fs::write(executable, "")?;
    step("binding leaselab", mount_bind_recursive(leaselab, executable).map_err(Into::into))?;
    let tmp = scratch.join("tmp");
    step("mounting /tmp", mount_bind_recursive(&tmp, "/tmp").map_err(Into::into))?;
    mount_nvram(scratch, executable)
}

/// Mounts a folder of links over `/usr/sbin`: to everything that was there, and to `nvram`.
fn mount_nvram(scratch: &Path, nvram: &Path) -> io::Result<()> {
    let original = scratch.join("usr-sbin");
    fs::create_dir_all(&original)?;
    step("binding /usr/sbin", mount_bind_recursive(SBIN, &original).map_err(Into::into))?;
    let mounted = mount("tmpfs", SBIN, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, None);
    step("mounting over /usr/sbin", mounted.map_err(Into::into))?;
    for entry in fs::read_dir(&original)? {
        let name = entry?.file_name();
        if name != "nvram" {
            symlink(original.join(&name), Path::new(SBIN).join(&name))?;
        }
    }
    symlink(nvram, Path::new(SBIN).join("nvram"))
}

fn step<T>(name: &str, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
}
