//! Faults of system calls, and the list of calls by which cuts are numbered.

use std::io;

/// The point at which a process is killed or the power is cut: before a call, or after some of the bytes that it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cut {
    /// Number of the call, from 0. Only calls that change something are counted.
    pub call: u64,
    /// Number of bytes that the call writes before the cut.
    pub bytes: usize,
}

/// Whether a cut is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutState {
    /// None is scheduled.
    None,
    /// At this call.
    Scheduled(Cut),
    /// It has occurred: no process runs any more.
    Occurred,
}

/// A system call that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The call as text, such as `rename dhcpd.leases.1 dhcpd.leases`.
    pub text: String,
    /// Number of bytes that it writes.
    pub bytes: usize,
}

/// Calls that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoFault {
    /// Number of the call, from 0. All calls are counted, also those that only read.
    pub call: u64,
    /// Whether all later calls fail, too.
    pub lasts: bool,
    /// The error. [`io::ErrorKind::StorageFull`] fails only calls that need space; the first write stores half of its bytes.
    pub error: io::ErrorKind,
}
