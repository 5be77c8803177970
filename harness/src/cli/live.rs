//! `leaselab live`.

use std::path::PathBuf;

use super::options::{
    LiveOptions, ReplayOptions, RunOptions, SandboxOptions, TargetChoice, paths_or,
};
use super::play::{Play, finish, list, play};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::run_case::BackendChoice;
use live::LiveSettings;

/// The arguments of `leaselab live`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them [default: the folder scenarios, or the embedded scenarios]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) run: RunOptions,
    #[command(flatten)]
    dnsmasq: LiveOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    if args.run.list {
        let suite = args.run.load(&paths_or(&args.paths, "scenarios"), |cases| cases)?;
        return Ok(list(&suite.cases));
    }
    let replay = args.replay();
    let backend = backend(&replay)?;
    let options = args.run.runner(TargetChoice::Process, SandboxOptions::default())?;
    let suite = args.run.load(&paths_or(&args.paths, "scenarios"), |cases| cases)?;
    enter()?;
    let summary = play(&Play {
        suite: &suite,
        options: &options,
        backend: &backend,
        run: &args.run,
        command: &["live"],
        replay: &replay,
        outside: None,
    })?;
    Ok(finish(&summary))
}

impl Args {
    /// The options that a reproduction needs again.
    pub(super) fn replay(&self) -> ReplayOptions {
        ReplayOptions {
            script: self.run.script.clone(),
            gate: self.run.gate.clone(),
            seed: self.run.seed,
            init: self.run.init,
            live: self.dnsmasq.clone().with_environment(),
            ..ReplayOptions::default()
        }
    }
}

/// A real dnsmasq as the back end.
///
/// # Errors
/// No dnsmasq, or a script that it could not execute.
pub(super) fn backend(options: &ReplayOptions) -> Result<BackendChoice, CommandError> {
    options.script.check()?;
    let binaries = options.live.binaries()?;
    let process = options.script.settings(SandboxOptions::default())?;
    Ok(BackendChoice::Live(Box::new(LiveSettings { process, binaries })))
}

/// Moves this process into new namespaces. Must be called before any thread is started.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn enter() -> Result<(), CommandError> {
    live::enter().map_err(CommandError::Environment)
}
