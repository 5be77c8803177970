//! The end of a process whose router has lost power.

use std::str::FromStr;

use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};

/// Whom a power cut kills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CutScope {
    /// The `nvram` process only.
    #[default]
    Process,
    /// Its whole process group, such as the script that called it.
    Group,
}

impl FromStr for CutScope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "process" => Ok(Self::Process),
            "group" => Ok(Self::Group),
            _ => Err("expected process or group"),
        }
    }
}

/// Ends this process by SIGKILL, like everything on a router without power.
pub(super) fn power_lost(scope: CutScope) -> ! {
    // Delivered before kill() returns; a sandbox that refuses it leaves an abort.
    let _ = match scope {
        CutScope::Process => kill_process(getpid(), Signal::KILL),
        CutScope::Group => kill_current_process_group(Signal::KILL),
    };
    std::process::abort()
}
