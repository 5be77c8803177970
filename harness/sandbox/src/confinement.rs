//! Privileges that the programs of a sandbox do not have, although they run as root in it.

use std::io;

use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use crate::mounts::step;

/// Closes all descriptors that this process has inherited, except for standard input, output and error, so that programs do
/// not inherit them. The process must not have opened any descriptors yet.
pub fn close_inherited_descriptors() {
    // SAFETY: the range is valid, and nothing owns a descriptor in it. A kernel that lacks this system call does not support
    // the sandbox either.
    _ = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

/// Drops capabilities that the programs started by this thread could use to leave the sandbox. Without them, programs cannot
/// change mounts, for example to make the machine's folders writable, and cannot access the memory and the descriptors of
/// this process, which keeps these capabilities.
///
/// # Errors
/// Returns the error of the kernel.
pub fn confine_programs() -> io::Result<()> {
    for capability in [CapabilitySet::SYS_ADMIN, CapabilitySet::SYS_PTRACE] {
        step("dropping a capability", remove_capability_from_bounding_set(capability))?;
    }
    Ok(())
}
