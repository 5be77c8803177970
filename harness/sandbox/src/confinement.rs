//! Rights that the programs of a sandbox do not get, although they are root in it.

use std::io;

use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use crate::mounts::step;

/// Closes all descriptors that this process has inherited, except for standard input, output and error, so that programs do
/// not inherit them. The process must not have opened any yet.
pub fn close_inherited_descriptors() {
    // SAFETY: the numbers are a valid range, and nothing owns a descriptor of it. A kernel that lacks the system call has no
    // sandbox, either.
    _ = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

/// Drops capabilities that the programs which this thread starts could use to leave the sandbox. Without them, programs
/// cannot change mounts, for example to make the machine's folders writable, and cannot access the memory and the
/// descriptors of this process, which keeps these capabilities.
///
/// # Errors
/// The error of the kernel.
pub fn confine_programs() -> io::Result<()> {
    for capability in [CapabilitySet::SYS_ADMIN, CapabilitySet::SYS_PTRACE] {
        step("dropping a capability", remove_capability_from_bounding_set(capability))?;
    }
    Ok(())
}
