//! `leaselab live`.

use std::path::PathBuf;

use super::options::{LiveOptions, ReplayOptions, Root, RunOptions, TargetChoice};
use super::play::{Play, finish, play};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::run_case::Backend;
use live::LiveSettings;

/// The arguments of `leaselab live`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(default_value = "scenarios")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    dnsmasq: LiveOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let dnsmasq = args.dnsmasq.clone().with_environment();
    let replay = ReplayOptions {
        script: args.run.script.clone(),
        seed: args.run.seed,
        live: dnsmasq.clone(),
        ..ReplayOptions::default()
    };
    let backend = backend(&replay)?;
    let options = args.run.runner(TargetChoice::Process, Root::default())?;
    let cases = args.run.cases.load(&args.paths, |cases| cases)?;
    enter()?;
    let summary = play(&Play {
        cases: &cases,
        options: &options,
        backend: &backend,
        run: &args.run,
        command: &["live"],
        replay: &replay,
    })?;
    Ok(finish(&summary))
}

/// A real dnsmasq as the back end.
///
/// # Errors
/// No dnsmasq, or a script that it could not execute.
pub(super) fn backend(options: &ReplayOptions) -> Result<Backend, CommandError> {
    options.script.check_executable()?;
    let binaries = options.live.binaries()?;
    let process = options.script.settings(Root::default())?;
    Ok(Backend::Live(LiveSettings { process, binaries }))
}

/// Puts this process into namespaces of its own. To be called before there are threads.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn enter() -> Result<(), CommandError> {
    live::enter().map_err(CommandError::Environment)
}
