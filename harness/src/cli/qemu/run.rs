//! `leaselab qemu run`.

use std::path::PathBuf;

use crate::cli::options::{
    GuestOptions, ReplayOptions, RunOptions, SandboxOptions, TargetChoice, paths_or,
};
use crate::cli::play::{Play, finish, list, play};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::run_case::BackendChoice;
use scenario::quantity;

/// The arguments of `leaselab qemu run`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Scenario files, or folders of them [default: the folder scenarios, or the embedded scenarios]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) run: RunOptions,
    #[command(flatten)]
    guest: GuestOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    if args.run.list {
        let suite = args.run.load(&paths_or(&args.paths, "scenarios"), |cases| cases)?;
        return Ok(list(&suite.cases));
    }
    args.run.script.check()?;
    let pool = args.guest.pool(args.run.keep.clone())?;
    let options = args.run.runner(TargetChoice::Process, SandboxOptions::default())?;
    let suite = args.run.load(&paths_or(&args.paths, "scenarios"), |cases| cases)?;
    let summary = play(&Play {
        suite: &suite,
        options: &options,
        backend: &BackendChoice::Qemu(pool.clone()),
        run: &args.run,
        command: &["qemu", "run"],
        replay: &args.replay(),
        outside: None,
    })?;
    let exit = finish(&summary);
    let session = pool.lock();
    if let Some(audit) = session.sum() {
        outln!(
            "\nerases of {}, as QEMU's flash chip saw them and as leaselab counts them; \
             slowest boot {:.1} s",
            quantity(audit.commits(), "commit"),
            session.slowest_boot().as_secs_f64()
        );
        out!("{audit}");
    }
    Ok(exit)
}

impl Args {
    /// The options that a reproduction needs again.
    pub(in crate::cli) fn replay(&self) -> ReplayOptions {
        ReplayOptions {
            script: self.run.script.clone(),
            gate: self.run.gate.clone(),
            seed: self.run.seed,
            init: self.run.init,
            guest: self.guest.clone(),
            ..ReplayOptions::default()
        }
    }
}
