//! What the programs of a sandbox may not do, although they are root in it.

use std::io;

use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use crate::mounts::step;

/// Closes the descriptors beyond standard error that whoever started this process has left open, so that no program gets
/// them. The process must not have opened any yet.
pub fn close_inherited_descriptors() {
    // SAFETY: the numbers are a valid range, and nothing owns a descriptor of it. A kernel that lacks the system call has no
    // sandbox, either.
    _ = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

/// Takes away from the programs that this thread will start what would lead them out of the sandbox: they can neither change
/// its mounts, for example make the machine's folders writable, nor reach the memory and the descriptors of this process,
/// which keeps a right that they lack.
///
/// # Errors
/// The error of the kernel.
pub fn confine_programs() -> io::Result<()> {
    for right in [CapabilitySet::SYS_ADMIN, CapabilitySet::SYS_PTRACE] {
        step("taking away the right to mount", remove_capability_from_bounding_set(right))?;
    }
    Ok(())
}
