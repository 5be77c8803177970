//! Processes that scripts leave running.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, WaitOptions, getpid, pidfd_open, waitpid};
use sandbox::clock::Supervisor;

/// The longest wait for a process that a script has left running.
const LIMIT: Duration = Duration::from_secs(2);
/// The longest wait after several processes have outlived the first limit: a script that leaves a process running in each
/// call would take minutes.
const LATER_LIMIT: Duration = Duration::from_millis(100);

/// How often it is checked whether the processes that are waited for are blocked.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// After how many checks without a change blocked processes count as daemons: a server that waits for requests would take
/// the whole limit.
const CHECKS: u32 = 5;

/// The children of this process, which are those that scripts have left running: it is their subreaper, or the first
/// process of its namespace.
pub(super) fn children() -> Vec<Pid> {
    children_of(getpid())
}

fn children_of(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let children = children.unwrap_or_default();
    children.split_ascii_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}

/// Whether a process sleeps, or waits for a child that does.
fn sleeps(process: Pid, sleeping: &[Pid]) -> bool {
    sleeping.contains(&process)
        || children_of(process).into_iter().any(|child| sleeps(child, sleeping))
}

/// Processes that are blocked, with the number of times that each has been.
#[derive(Debug, PartialEq, Eq)]
struct Blocked(Vec<(Pid, u64)>);

impl Blocked {
    /// These processes and their descendants; `None` if one of them can run, or waits for a disk.
    fn of(processes: &[Pid]) -> Option<Self> {
        let mut blocked = Vec::new();
        for process in processes {
            let id = process.as_raw_nonzero();
            let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let value = |key: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(key))?;
                line.split_ascii_whitespace().next()
            };
            if value("State:")? != "S" {
                return None;
            }
            blocked.push((*process, value("voluntary_ctxt_switches:")?.parse().ok()?));
            blocked.extend(Self::of(&children_of(*process))?.0);
        }
        Some(Self(blocked))
    }
}

/// The processes that have outlived a wait: daemons, for which there is no other wait.
#[derive(Debug, Default)]
pub(super) struct Daemons(HashSet<Pid>);

impl Daemons {
    /// The processes that the last call has left running, without those that sleep.
    pub(super) fn stragglers(&self, supervisor: Option<&Supervisor>) -> Vec<Pid> {
        let sleeping = supervisor.map_or_else(Vec::new, Supervisor::sleeping);
        let all = children().into_iter();
        all.filter(|pid| !self.0.contains(pid) && !has_ended(*pid) && !sleeps(*pid, &sleeping))
            .collect()
    }

    /// How many of these processes are still there.
    pub(super) fn running(&self) -> usize {
        match self.0.len() {
            0 => 0,
            _ => children().into_iter().filter(|pid| self.0.contains(pid)).count(),
        }
    }

    /// Waits until the processes that the last call has left running have ended or sleep, and those that they have left, too.
    /// What still runs after a while, or only waits, is a daemon.
    pub(super) fn wait_for_stragglers(&mut self, supervisor: Option<&Supervisor>) {
        let limit = if self.0.len() < 3 { LIMIT } else { LATER_LIMIT };
        let deadline = Instant::now() + limit;
        let (mut blocked, mut unchanged) = (None, 0);
        loop {
            let running = self.stragglers(supervisor);
            let Some(first) = running.first() else { return };
            let left = deadline.saturating_duration_since(Instant::now());
            let now = Blocked::of(&running);
            unchanged = if now.is_some() && now == blocked { unchanged + 1 } else { 0 };
            blocked = now;
            if left.is_zero() || unchanged == CHECKS {
                self.0.extend(running);
                return;
            }
            let Ok(process) = pidfd_open(*first, PidfdFlags::empty()) else { continue };
            let mut events = vec![PollFd::new(&process, PollFlags::IN)];
            events.extend(supervisor.map(|s| PollFd::from_borrowed_fd(s.events(), PollFlags::IN)));
            let timeout = Timespec::try_from(left.min(CHECK_INTERVAL)).ok();
            // An error, too, ends the wait: what happens is found out above.
            _ = poll(&mut events, timeout.as_ref());
            if let Some(supervisor) = supervisor {
                supervisor.take_events();
            }
        }
    }
}

/// Whether a child has ended, in which case nothing of it remains.
fn has_ended(pid: Pid) -> bool {
    !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}
