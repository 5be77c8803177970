//! Cuts the power of a guest.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Kills a guest's QEMU. It refers to the process by a pidfd: once QEMU has ended, the kernel may reuse its process id for
/// another process, which must not be killed.
#[derive(Debug)]
pub(super) struct PowerSwitch {
    process: OwnedFd,
}

impl PowerSwitch {
    /// # Errors
    /// When the kernel has no pidfd.
    pub(super) fn of(qemu: &Child) -> io::Result<Self> {
        Ok(Self { process: pidfd_open(Pid::from_child(qemu), PidfdFlags::empty())? })
    }

    /// # Errors
    /// When the process has no file descriptor left.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { process: self.process.try_clone()? })
    }

    /// Sends SIGKILL. A process that has ended already is no error.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(super) fn turn_off(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.process, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Becomes readable when QEMU ends.
impl AsFd for PowerSwitch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    fn cat() -> Child {
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat runs")
    }

    #[test]
    fn turning_off_kills_the_process() {
        let mut child = cat();
        let switch = PowerSwitch::of(&child).expect("a pidfd");
        switch.turn_off().expect("the signal");
        poll(&mut [PollFd::new(&switch, PollFlags::IN)], None).expect("poll");
        assert_eq!(child.wait().expect("its status").signal(), Some(9));
    }

    /// With a process id instead of a pidfd, this signal would go to whichever process has the id next.
    #[test]
    fn a_process_that_was_reaped_gets_no_signal() {
        let mut child = cat();
        let switch = PowerSwitch::of(&child).expect("a pidfd");
        drop(child.stdin.take());
        assert!(child.wait().expect("its status").success());
        assert_eq!(pidfd_send_signal(&switch.process, Signal::KILL), Err(Errno::SRCH));
        switch.turn_off().expect("no error");
    }
}
