//! Faults in system calls: power cuts, kills and I/O errors. A fault is identified by the number of a call.

use std::io;

/// The point at which a process is killed or the power is cut: before a call, or after some of the bytes that it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cut {
    /// Number of the call, from 0. Only calls that change something are counted.
    pub call: u64,
    /// Number of bytes that the call writes before the cut.
    pub bytes: usize,
}

/// The state of the scheduled cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutState {
    /// No cut is scheduled.
    None,
    /// This cut is scheduled.
    Scheduled(Cut),
    /// The cut has occurred, and no process runs any more.
    Occurred,
}

/// A system call that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The call as text, such as `rename dhcpd.leases.1 dhcpd.leases`.
    pub text: String,
    /// Number of bytes that the call writes.
    pub bytes: usize,
}

/// A fault that makes calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoFault {
    /// Number of the call, from 0. All calls are counted, including those that only read.
    pub call: u64,
    /// Whether all later calls fail too.
    pub lasts: bool,
    /// The error that the calls return. [`io::ErrorKind::StorageFull`] affects only calls that need space. If the call with
    /// this number is a write, it stores half of its bytes.
    pub error: io::ErrorKind,
}
