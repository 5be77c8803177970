//! How far scripts are kept away from the machine.

use crate::error::CommandError;
use crate::words::Words;
use backend::process::{Isolation, Settings};

/// Which file system scripts see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct SandboxOptions {
    /// Let scripts see and change the machine's own files, processes, network and clock
    #[arg(long)]
    no_sandbox: bool,
}

impl SandboxOptions {
    /// How far scripts are kept away from the machine.
    fn isolation(self) -> Isolation {
        if self.no_sandbox { Isolation::None } else { Isolation::Full }
    }

    /// How processes run a script, of which no call may take longer than `timeout`, in seconds.
    ///
    /// # Errors
    /// When this executable cannot be found.
    pub(in crate::cli) fn settings(self, timeout: u64) -> Result<Settings, CommandError> {
        let leaselab = std::env::current_exe().map_err(|error| {
            CommandError::Environment(format!("cannot find the executable of leaselab: {error}"))
        })?;
        let limit_ms = timeout.clamp(1, 86_400) * 1000;
        Ok(Settings { leaselab, limit_ms, isolation: self.isolation(), programs: Vec::new() })
    }

    /// The option as a word of a command line.
    pub(in crate::cli) fn add_to(self, words: &mut Words) {
        words.flag("--no-sandbox", self.no_sandbox);
    }
}
