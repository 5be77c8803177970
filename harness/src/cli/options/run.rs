//! Options of the commands that play cases.

use std::path::PathBuf;

use super::{
    CaseFilter, GateOptions, InitOptions, Jobs, ReportOptions, SandboxOptions, ScriptOptions,
    TargetChoice, print_unsuited,
};
use crate::error::CommandError;
use crate::report::Forge;
use crate::suite::Suite;
use runner::{GatePolicy, InitCalls, Options, ScriptExecution};
use scenario::Case;

/// Options of all commands that play cases.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct RunOptions {
    #[command(flatten)]
    pub(in crate::cli) cases: CaseFilter,
    #[command(flatten)]
    pub(in crate::cli) script: ScriptOptions,
    #[command(flatten)]
    pub(in crate::cli) gate: GateOptions,
    #[command(flatten)]
    pub(in crate::cli) jobs: Jobs,
    /// Seed of the values that a server chooses at random, such as temporary addresses of DHCPv6
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) seed: u64,
    #[command(flatten)]
    pub(in crate::cli) init: InitOptions,
    #[command(flatten)]
    pub(in crate::cli) reports: ReportOptions,
    /// Print an annotation for each failure, in the format of this service
    #[arg(long, value_enum, value_name = "FORGE")]
    pub(in crate::cli) annotate: Option<Forge>,
    /// Keep log, flash and RAM of each failed case in this folder
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) keep: Option<PathBuf>,
    /// Start no further cases after a failure
    #[arg(long)]
    pub(in crate::cli) fail_fast: bool,
    /// Print the names of the selected cases instead of running them
    #[arg(long)]
    pub(in crate::cli) list: bool,
    /// Print every script call of every case
    #[arg(long)]
    pub(in crate::cli) verbose: bool,
}

impl RunOptions {
    /// Loads the selected cases, and prints how many scenarios apply to the script and the dialect.
    ///
    /// # Errors
    /// See [`CaseFilter::load`].
    pub(in crate::cli) fn load(
        &self,
        paths: &[PathBuf],
        convert: impl FnOnce(Vec<Case>) -> Vec<Case>,
    ) -> Result<Suite, CommandError> {
        let suite = self.cases.load(paths, self.script.is_chosen(), convert)?;
        print_unsuited(&suite, self.verbose);
        Ok(suite)
    }

    /// How the runner plays a case.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub(in crate::cli) fn runner(
        &self,
        target: TargetChoice,
        sandbox: SandboxOptions,
    ) -> Result<Options, CommandError> {
        let log = self.verbose || self.keep.is_some();
        let options = runner_options(&self.script, target, sandbox, self.seed, log)?;
        let gate = self.gate.policy(self.script.is_chosen());
        Ok(Options { init_calls: self.init.calls(), gate, ..options })
    }
}

/// How the runner plays a case, which every finding makes fail. With `log` the report has a line for each script call.
///
/// # Errors
/// A script that cannot be read.
pub(in crate::cli) fn runner_options(
    script: &ScriptOptions,
    target: TargetChoice,
    sandbox: SandboxOptions,
    seed: u64,
    log: bool,
) -> Result<Options, CommandError> {
    let settings = script.settings(sandbox)?;
    let execution = match target {
        TargetChoice::InProcess => ScriptExecution::InProcess,
        TargetChoice::Process => ScriptExecution::Process(settings),
        TargetChoice::Both => ScriptExecution::Both(settings),
    };
    let script = script.choice()?;
    let (init_calls, gate) = (InitCalls::default(), GatePolicy::strict());
    Ok(Options { execution, script, seed, log, init_calls, gate })
}
