//! How often the judge calls a script's `init`.

use crate::words::Words;
use runner::InitCalls;

/// How often the judge calls a script's `init`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct InitOptions {
    /// Call the script's init after every step, even if the records in NVRAM are those that must be stored
    #[arg(long)]
    init_every_step: bool,
}

impl InitOptions {
    /// The runner's option.
    pub(in crate::cli) fn calls(self) -> InitCalls {
        if self.init_every_step { InitCalls::EveryStep } else { InitCalls::WhereNeeded }
    }

    /// The option as a word of a command line.
    pub(in crate::cli) fn add_to(self, words: &mut Words) {
        words.flag("--init-every-step", self.init_every_step);
    }
}
