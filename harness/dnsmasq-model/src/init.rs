//! The result of the `init` call, and the reasons why dnsmasq does not start.

use super::rules::Rules;

/// How the `init` call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitStatus {
    /// Exit code of the shell that ran the script; 128 + n if signal n killed the script.
    Code(u8),
    /// This signal killed the shell itself.
    Signal(u8),
}

/// The result of the `init` call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitResult {
    /// Standard output, which `read_leases` parses.
    pub stdout: Vec<u8>,
    /// How the call ended.
    pub status: InitStatus,
}

impl InitResult {
    /// Creates the result of an `init` call that ends with exit code 0.
    #[must_use]
    pub fn ok(stdout: impl Into<Vec<u8>>) -> InitResult {
        InitResult { stdout: stdout.into(), status: InitStatus::Code(0) }
    }
}

/// Why dnsmasq did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartFailure {
    /// dnsmasq exited.
    Exit {
        /// Exit code: 1 for an invalid configuration, 3 if the script or a file cannot be read, 5 for too many stored
        /// leases, 10 + r for exit code r of `init`.
        code: u8,
        /// The message that dnsmasq logs.
        message: String,
    },
    /// dnsmasq crashed.
    Crash {
        /// Signal number: 6 (SIGABRT) if a hardware address in the output of `init` is not hexadecimal, 11 (SIGSEGV) for too
        /// many stored leases in 2.60 to 2.64.
        signal: u8,
    },
}

impl StartFailure {
    /// dnsmasq aborts because a hardware address that is not hexadecimal corrupts the heap (lease.c `read_leases`).
    pub(crate) const ABORT: StartFailure = StartFailure::Crash { signal: 6 };
    /// dnsmasq accesses a lease that could not be allocated.
    pub(crate) const SEGMENTATION_FAULT: StartFailure = StartFailure::Crash { signal: 11 };

    /// Creates a failure with this exit code. Old releases exit with 1 for every reason.
    pub(crate) fn exit(rules: &Rules, code: u8, message: String) -> StartFailure {
        StartFailure::Exit { code: if rules.has_specific_exit_codes { code } else { 1 }, message }
    }

    /// Returns the exit code, or the negated number of the signal.
    #[must_use]
    pub fn status(&self) -> i32 {
        match self {
            StartFailure::Exit { code, .. } => i32::from(*code),
            StartFailure::Crash { signal } => -i32::from(*signal),
        }
    }
}
