//! Kills the process when the router loses power.

use std::str::FromStr;

use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};

/// Which processes a power cut kills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CutScope {
    /// The `nvram` process only.
    #[default]
    Process,
    /// Its process group, which includes the script that called it.
    Group,
}

impl FromStr for CutScope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "process" => Ok(Self::Process),
            "group" => Ok(Self::Group),
            _ => Err("expected `process` or `group`"),
        }
    }
}

/// Ends this process with SIGKILL.
pub(super) fn kill_by_power_loss(scope: CutScope) -> ! {
    // The signal is delivered before kill() returns. If a sandbox refuses it, the process aborts.
    let _ = match scope {
        CutScope::Process => kill_process(getpid(), Signal::KILL),
        CutScope::Group => kill_current_process_group(Signal::KILL),
    };
    std::process::abort()
}
