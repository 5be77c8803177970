//! The descriptor on which watched system calls arrive.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::process::Pid;

/// A watched system call. Its process waits for the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemCall {
    id: u64,
    /// The id of the process, in the process namespace of this process.
    pub(super) pid: Pid,
    pub(super) number: libc::c_long,
    pub(super) arguments: [u64; 6],
}

/// How a system call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The kernel executes it.
    Continue,
    /// It is answered later.
    Later,
    /// It returns this value.
    Value(i64),
    /// It fails with this error number.
    Error(i32),
}

/// Receives system calls and answers them.
#[derive(Debug)]
pub(super) struct Listener(pub(super) OwnedFd);

impl Listener {
    /// Asks the kernel to switch directly between the calling program and this thread
    /// (`SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`). Older kernels do not support this, which is not an error.
    pub(super) fn enable_sync_wake_up(&self) {
        // SAFETY: the argument of the request is a number.
        unsafe {
            libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS as _, 1_u64);
        }
    }

    /// Receives a system call. Returns `None` if its process has ended in the meantime, or if a signal interrupted the wait.
    ///
    /// # Errors
    /// If the descriptor can no longer be used.
    pub(super) fn receive(&self) -> io::Result<Option<SystemCall>> {
        // SAFETY: all bytes zero is a valid value of this struct of numbers, which the kernel then fills.
        let (result, call) = unsafe {
            let mut call: libc::seccomp_notif = std::mem::zeroed();
            let request = libc::SECCOMP_IOCTL_NOTIF_RECV;
            (libc::ioctl(self.0.as_raw_fd(), request as _, &raw mut call), call)
        };
        if result != 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                Some(libc::ENOENT | libc::EINTR) => Ok(None),
                _ => Err(error),
            };
        }
        Ok(Pid::from_raw(call.pid as i32).map(|pid| SystemCall {
            id: call.id,
            pid,
            number: libc::c_long::from(call.data.nr),
            arguments: call.data.args,
        }))
    }

    /// Returns whether the process of a system call still waits for the answer.
    pub(super) fn is_waiting(&self, call: &SystemCall) -> bool {
        let request = libc::SECCOMP_IOCTL_NOTIF_ID_VALID;
        // SAFETY: the kernel only reads the number.
        unsafe { libc::ioctl(self.0.as_raw_fd(), request as _, &raw const call.id) == 0 }
    }

    /// Answers a system call. Does nothing if its process has ended in the meantime.
    pub(super) fn answer(&self, call: &SystemCall, answer: Answer) {
        // SAFETY: all bytes zero is a valid value of this struct of numbers, and the kernel only reads it.
        unsafe {
            let mut response: libc::seccomp_notif_resp = std::mem::zeroed();
            response.id = call.id;
            match answer {
                Answer::Continue => response.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
                Answer::Value(value) => response.val = value,
                Answer::Error(number) => response.error = -number,
                Answer::Later => return,
            }
            libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND as _, &raw mut response);
        }
    }
}
