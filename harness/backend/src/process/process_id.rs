//! Process ids of a sandbox, which differ from those of the machine.

use std::fs;

/// The id that a process of a sandbox has on this machine. `waiting` is the process that waits for the end of the sandbox, and
/// `inside` the id in the sandbox of a child of the agent.
pub(super) fn on_this_machine(waiting: u32, inside: i32) -> Option<i32> {
    let agents = children(waiting as i32);
    let processes = agents.into_iter().flat_map(children);
    processes.into_iter().find(|process| innermost_id(*process) == Some(inside))
}

/// The children of the main thread of a process.
fn children(process: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    list.unwrap_or_default().split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// The id of a process in its own namespace.
fn innermost_id(process: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    ids.split_whitespace().last()?.parse().ok()
}
