//! The options of a run that its reproduction needs again.

use super::run::runner_options;
use super::{
    GateOptions, GuestOptions, InitOptions, LiveOptions, SandboxOptions, ScriptOptions,
    StoreChoice, TargetChoice,
};
use crate::error::CommandError;
use crate::words::Words;
use runner::{GatePolicy, Options};

/// Options that change what a case does. With the id of the case they determine a reproduction.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct ReplayOptions {
    #[command(flatten)]
    pub(in crate::cli) script: ScriptOptions,
    #[command(flatten)]
    pub(in crate::cli) gate: GateOptions,
    /// Where script calls go [default: process for a case of `run`, otherwise in-process]
    #[arg(long, value_enum)]
    pub(in crate::cli) target: Option<TargetChoice>,
    #[command(flatten)]
    pub(in crate::cli) sandbox: SandboxOptions,
    /// Seed of the values that a server chooses at random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) seed: u64,
    #[command(flatten)]
    pub(in crate::cli) init: InitOptions,
    /// Where the script keeps its leases
    #[arg(long, value_enum, default_value = "scenario")]
    pub(in crate::cli) store: StoreChoice,
    #[command(flatten, next_help_heading = "Options for ids of `live`")]
    pub(in crate::cli) live: LiveOptions,
    #[command(flatten, next_help_heading = "Options for ids of `qemu run`")]
    pub(in crate::cli) guest: GuestOptions,
}

impl ReplayOptions {
    /// How the runner plays a case again. With `log` the report has a line for each script call.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub(in crate::cli) fn runner(
        &self,
        default: TargetChoice,
        log: bool,
    ) -> Result<Options, CommandError> {
        let target = self.target.unwrap_or(default);
        let options = runner_options(&self.script, target, self.sandbox, self.seed, log)?;
        Ok(Options { init_calls: self.init.calls(), gate: self.gate(), ..options })
    }

    /// Which findings make the reproduction fail.
    pub(in crate::cli) fn gate(&self) -> GatePolicy {
        self.gate.policy(self.script.is_chosen())
    }

    /// The options as words of a command line.
    pub(in crate::cli) fn add_to(&self, words: &mut Words) {
        self.script.add_to(words);
        self.gate.add_to(words);
        words.option("--target", self.target.map(TargetChoice::name));
        self.sandbox.add_to(words);
        words.option("--seed", Some(self.seed).filter(|seed| *seed != 0));
        self.init.add_to(words);
        words.option("--store", self.store.name());
        self.live.add_to(words);
        self.guest.add_to(words);
    }
}
