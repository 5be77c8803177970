//! How far scripts are kept away from the machine.

use crate::words::Words;
use backend::process::Isolation;

/// Which file system scripts see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct SandboxOptions {
    /// Let scripts see and change the machine's own files, processes, network and clock
    #[arg(long)]
    no_sandbox: bool,
}

impl SandboxOptions {
    /// How far scripts are kept away from the machine.
    pub(in crate::cli) fn isolation(self) -> Isolation {
        if self.no_sandbox { Isolation::None } else { Isolation::Full }
    }

    /// The option as a word of a command line.
    pub(in crate::cli) fn add_to(self, words: &mut Words) {
        words.flag("--no-sandbox", self.no_sandbox);
    }
}
