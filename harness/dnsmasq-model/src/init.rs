//! The result of the script call `init`, and what dnsmasq makes of it at its start.

/// How the `init` call of the script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitStatus {
    /// Exit code of the shell that ran it (128 + n for a script killed by signal n).
    Code(u8),
    /// The shell itself was killed by this signal.
    Signal(u8),
}

/// What `init` printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitResult {
    /// Standard output, to be read by `read_leases`.
    pub stdout: Vec<u8>,
    /// How it ended.
    pub status: InitStatus,
}

impl InitResult {
    /// `init` printed `stdout` and returned 0.
    #[must_use]
    pub fn ok(stdout: impl Into<Vec<u8>>) -> InitResult {
        InitResult { stdout: stdout.into(), status: InitStatus::Code(0) }
    }
}

/// Why dnsmasq ended instead of starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartFailure {
    /// dnsmasq left with this exit code and message.
    Exit {
        /// Exit code: 3 script not runnable, 5 too many stored leases, 10 + r for an `init` that returned r.
        code: u8,
        /// The line it logs.
        message: String,
    },
    /// dnsmasq crashed with this signal: a hardware address in `init`'s output was not hexadecimal.
    Crash {
        /// Signal number (6, SIGABRT).
        signal: u8,
    },
}

impl StartFailure {
    /// The exit status as a shell-less parent sees it: the code, or minus the signal.
    #[must_use]
    pub fn status(&self) -> i32 {
        match self {
            StartFailure::Exit { code, .. } => i32::from(*code),
            StartFailure::Crash { signal } => -i32::from(*signal),
        }
    }
}
