//! Processes that are about to execute a program. They are traced until the program has started.

use std::collections::BTreeSet;
use std::io;

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions, getpid, waitid, waitpid};

use super::auxiliary_vector;

/// Traced processes.
#[derive(Debug, Default)]
pub(super) struct Traced(BTreeSet<i32>);

impl Traced {
    /// Starts to trace a process whose `execve` waits for an answer.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub(super) fn seize(&mut self, pid: Pid) -> io::Result<()> {
        let number = pid.as_raw_nonzero().get();
        if self.0.contains(&number) {
            return Ok(());
        }
        request(libc::PTRACE_SEIZE, number, libc::PTRACE_O_TRACEEXEC as usize)?;
        self.0.insert(number);
        Ok(())
    }

    /// Handles the stops of all traced processes.
    pub(super) fn handle_stops(&mut self) {
        self.0.retain(|number| is_still_traced(*number));
    }
}

/// Handles a stop of a process, if there is one. Returns whether the process is still traced.
fn is_still_traced(number: i32) -> bool {
    let Some(pid) = Pid::from_raw(number) else { return false };
    // Only the thread that started a child of this process may reap it, and may be waiting for it at the same time.
    let peek = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
    match waitid(WaitId::Pid(pid), peek | WaitIdOptions::NOWAIT) {
        Ok(None) | Err(rustix::io::Errno::INTR) => return true,
        Ok(Some(status)) if !(status.exited() || status.killed() || status.dumped()) => {}
        Ok(Some(_)) if !is_own_child(number) => {}
        _ => return false,
    }
    let status = match waitpid(Some(pid), WaitOptions::NOHANG) {
        Ok(None) | Err(rustix::io::Errno::INTR) => return true,
        Ok(Some((_, status))) => status,
        Err(_) => return false,
    };
    let Some(signal) = status.stopping_signal() else { return false };
    match status.as_raw() >> 16 {
        libc::PTRACE_EVENT_EXEC => {
            if let Some(stack_pointer) = stack_pointer(number) {
                auxiliary_vector::remove_vdso(pid, stack_pointer);
            }
            _ = request(libc::PTRACE_DETACH, number, 0);
            false
        }
        // `execve` has failed, and the process receives a signal.
        0 => request(libc::PTRACE_CONT, number, signal as usize).is_ok(),
        _ => request(libc::PTRACE_CONT, number, 0).is_ok(),
    }
}

/// Returns whether this process is the parent of a process.
fn is_own_child(number: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{number}/status")).unwrap_or_default();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    parent.is_some_and(|parent| parent.trim() == getpid().to_string())
}

fn request(request: libc::c_uint, pid: i32, data: usize) -> io::Result<()> {
    // SAFETY: the arguments of these requests are numbers.
    let result = unsafe { libc::ptrace(request, pid, 0_usize, data) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn stack_pointer(pid: i32) -> Option<u64> {
    // SAFETY: all bytes zero is a valid value of this struct of numbers, and the kernel writes at most its size.
    unsafe {
        let mut info: libc::ptrace_syscall_info = std::mem::zeroed();
        let size = size_of_val(&info);
        let read = libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, &raw mut info);
        (read > 0).then_some(info.stack_pointer)
    }
}
