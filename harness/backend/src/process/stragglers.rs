//! Processes that scripts leave running.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, WaitOptions, getpid, pidfd_open, waitpid};

/// The longest wait for a process that a script has left running.
const LIMIT: Duration = Duration::from_secs(2);

/// The children of this process, which are those that scripts have left running: it is their subreaper, or the first
/// process of its namespace.
pub(super) fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    let children = children.unwrap_or_default();
    children.split_ascii_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}

/// The processes that have outlived a wait: daemons, for which there is no other wait.
#[derive(Debug, Default)]
pub(super) struct Daemons(HashSet<Pid>);

impl Daemons {
    /// The processes that the last call has left running.
    pub(super) fn stragglers(&self) -> Vec<Pid> {
        children().into_iter().filter(|pid| !self.0.contains(pid) && !has_ended(*pid)).collect()
    }

    /// Waits until the processes that the last call has left running have ended, and those that they have left, too. What
    /// still runs after a while is a daemon.
    pub(super) fn wait_for_stragglers(&mut self) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let running = self.stragglers();
            let Some(first) = running.first() else { return };
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(process) = pidfd_open(*first, PidfdFlags::empty()) else { continue };
            let timeout = Timespec::try_from(left).ok();
            let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], timeout.as_ref());
            if left.is_zero() || !matches!(ended, Ok(1) | Err(rustix::io::Errno::INTR)) {
                self.0.extend(self.stragglers());
                return;
            }
        }
    }
}

/// Whether a child has ended, in which case nothing of it remains.
fn has_ended(pid: Pid) -> bool {
    !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}
