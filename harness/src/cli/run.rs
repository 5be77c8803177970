//! `leaselab run`.

use std::path::PathBuf;

use super::options::{
    ReplayOptions, RunOptions, SandboxOptions, StoreChoice, TargetChoice, paths_or,
};
use super::play::{OutsideSample, Play, finish, list, play};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report::Summary;
use crate::run_case::BackendChoice;
use crate::sample::pairwise;
use crate::suite::Suite;
use runner::runs_in_process;
use scenario::Case;

/// The arguments of `leaselab run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them; those that are embedded in leaselab begin with `builtin:` [default: the folder
    /// scenarios, or the embedded scenarios]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) modelled: ModelledOptions,
}

/// Options of commands that run cases under the modelled dnsmasq.
#[derive(Debug, clap::Args)]
pub(super) struct ModelledOptions {
    #[command(flatten)]
    pub(super) run: RunOptions,
    /// Where script calls go
    #[arg(long, value_enum, default_value = "process")]
    target: TargetChoice,
    #[command(flatten)]
    sandbox: SandboxOptions,
    /// Where scripts keep their leases; `journal` skips the scenarios that are about NVRAM
    #[arg(long, value_enum, default_value = "scenario")]
    store: StoreChoice,
    /// Which cases use processes; the others are played in process only
    #[arg(long, value_enum, default_value = "all")]
    sample: SampleChoice,
}

/// Which cases of a scenario's matrix use processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SampleChoice {
    /// Every case
    All,
    /// A pairwise sample: each pair of values of two parameters occurs in at least one case
    Pairwise,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let suite = args.modelled.load(&paths_or(&args.paths, "scenarios"))?;
    if args.modelled.run.list {
        return Ok(list(&suite.cases));
    }
    Ok(finish(&args.modelled.play(&suite)?))
}

impl ModelledOptions {
    /// The cases of files and folders that the options select.
    pub(super) fn load(&self, paths: &[PathBuf]) -> Result<Suite, CommandError> {
        self.run.load(paths, |cases| match self.store {
            StoreChoice::Scenario => cases,
            StoreChoice::Journal => into_journals(cases),
        })
    }

    /// Plays cases and writes the reports.
    pub(super) fn play(&self, suite: &Suite) -> Result<Summary, CommandError> {
        let cases = &suite.cases;
        let options = self.run.runner(self.target, self.sandbox)?;
        let in_process = self.run.runner(TargetChoice::InProcess, self.sandbox)?;
        let in_process_replay =
            ReplayOptions { target: Some(TargetChoice::InProcess), ..self.replay() };
        let sample: Vec<bool> = match self.sample {
            SampleChoice::All => vec![true; cases.len()],
            SampleChoice::Pairwise => pairwise(cases)
                .into_iter()
                .zip(cases)
                .map(|(chosen, case)| chosen || !runs_in_process(case, &options.script))
                .collect(),
        };
        let summary = play(&Play {
            suite,
            options: &options,
            backend: &BackendChoice::Modelled,
            run: &self.run,
            command: &["run"],
            replay: &self.replay(),
            outside: Some(OutsideSample {
                sample: &sample,
                options: &in_process,
                replay: &in_process_replay,
            }),
        })?;
        if let outside @ 1.. = sample.iter().filter(|chosen| !**chosen).count() {
            outln!(
                "{outside} of {} cases were played in process only: processes take a pairwise sample of each \
                 scenario's parameters (--sample all: every case)",
                cases.len()
            );
        }
        Ok(summary)
    }

    /// The options that a reproduction needs again.
    pub(super) fn replay(&self) -> ReplayOptions {
        ReplayOptions {
            script: self.run.script.clone(),
            gate: self.run.gate.clone(),
            target: Some(self.target).filter(|target| *target != TargetChoice::default()),
            sandbox: self.sandbox,
            seed: self.run.seed,
            init: self.run.init,
            store: self.store,
            ..ReplayOptions::default()
        }
    }
}

/// The cases with their leases in a journal. Prints how many cases are left out because they are about NVRAM.
fn into_journals(cases: Vec<Case>) -> Vec<Case> {
    let all = cases.len();
    let kept: Vec<Case> = cases.into_iter().filter_map(|case| case.into_journal().ok()).collect();
    let left_out = all - kept.len();
    errln!("left out {left_out} of {all} cases, which are about NVRAM and not about leases");
    kept
}
