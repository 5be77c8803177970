//! Kills the processes that this process has started.

use std::collections::BTreeSet;
use std::fs;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open};

/// Maximum time to wait until a killed process has ended.
const END_LIMIT: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Kills all descendants, and waits until the children have ended. Does not reap the children, because their exit codes
/// belong to the threads that started them.
pub(crate) fn kill_all() {
    let mut killed = BTreeSet::new();
    loop {
        let children = children_of(getpid());
        let new: Vec<Pid> =
            children.into_iter().filter(|child| killed.insert(child.as_raw_nonzero())).collect();
        if new.is_empty() {
            return;
        }
        for child in new {
            let descriptor = pidfd_open(child, PidfdFlags::empty());
            kill_tree(child);
            if let Ok(descriptor) = descriptor {
                _ = poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&END_LIMIT));
            }
        }
    }
}

/// Kills a process and its descendants. The process is stopped first, so that it cannot start more processes.
fn kill_tree(process: Pid) {
    _ = kill_process(process, Signal::STOP);
    for child in children_of(process) {
        kill_tree(child);
    }
    _ = kill_process(process, Signal::KILL);
}

/// Returns the children of all threads of a process.
fn children_of(process: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()));
    let lists = tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let mut children = Vec::new();
    for list in lists {
        children
            .extend(list.split_ascii_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)));
    }
    children
}
