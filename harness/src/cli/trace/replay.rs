//! `leaselab trace replay`: the cost of recorded script calls.

use std::path::{Path, PathBuf};

use crate::cli::options::{
    SandboxOptions, ScriptOptions, SingleTarget, dialect_names, runner_options,
};
use crate::error::CommandError;
use crate::exit::Exit;
use backend::process::Process;
use backend::{Backend, CallOptions, Function, InProcess};
use runner::{Options, ScriptExecution, Tally, setup};
use scenario::{Bytes, Router, quantity, unspanned};
use trace::{Recording, find};

/// The arguments of `leaselab trace replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recordings, or folders of recordings
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    #[command(flatten)]
    script: ScriptOptions,
    /// Where script calls go
    #[arg(long, value_enum, default_value = "process")]
    target: SingleTarget,
    #[command(flatten)]
    sandbox: SandboxOptions,
    /// Dialect of the nvram tool
    #[arg(long, value_name = "NAME", default_value = "openwrt", value_parser = dialect_names())]
    dialect: String,
    /// Size of the NVRAM, such as 64KiB
    #[arg(long, value_name = "SIZE", default_value = "32KiB")]
    space: Bytes,
    /// Bytes of other programs' variables to start with
    #[arg(long, value_name = "SIZE", default_value = "8KiB")]
    neighbours: Bytes,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let router = Router {
        dialect: unspanned(args.dialect.clone()),
        space: args.space,
        neighbours: args.neighbours,
        ..Router::default()
    };
    let options = runner_options(&args.script, args.target.into(), args.sandbox, 0, false)?;
    let mut folders = Vec::new();
    for dir in &args.dirs {
        folders.extend(find(dir).map_err(CommandError::usage)?);
    }
    let mut total = Tally::default();
    for folder in &folders {
        let recording = Recording::read(folder).map_err(CommandError::usage)?;
        let tally = replay(&recording, &router, &options)?;
        outln!("{:<44} {}", recording.label(), counts(&tally));
        total.add(&tally);
    }
    outln!("{}: {}", quantity(folders.len(), "recording"), counts(&total));
    Ok(if total.failed_calls > 0 { Exit::Failed } else { Exit::Passed })
}

fn counts(tally: &Tally) -> String {
    format!(
        "{:>12} {:>4} failed {:>14} {:>13} {:>15} programmed",
        quantity(tally.calls, "call"),
        tally.failed_calls,
        quantity(tally.commits, "commit"),
        quantity(tally.erases, "erase"),
        quantity(tally.programmed, "byte")
    )
}

fn replay(
    recording: &Recording,
    router: &Router,
    options: &Options,
) -> Result<Tally, CommandError> {
    let machine = setup::machine(router, Path::new(".")).map_err(CommandError::usage)?;
    let mut target: Box<dyn Backend> = match &options.execution {
        ScriptExecution::InProcess if options.script.path.is_none() => Box::new(InProcess::new(
            machine,
            Function::LeaseUpdate(lease_script::Config::default()),
        )),
        ScriptExecution::InProcess => {
            return Err(CommandError::usage("--script: needs --target process"));
        }
        ScriptExecution::Process(settings) | ScriptExecution::Both(settings) => {
            let script = options.script.command();
            Box::new(Process::new(machine, &script, settings)?)
        }
    };
    // The records that were stored before the recording are stored first, without being counted.
    let found = recording.stored_before();
    for variable in &found {
        target.nvram(&[b"set", variable])?;
    }
    if !found.is_empty() {
        target.nvram(&[b"commit"])?;
    }
    let mut tally = Tally::default();
    for call in &recording.calls {
        let call = call.script_call();
        let result = target.call(&call, &CallOptions::default())?;
        tally.call(&call, &result);
    }
    Ok(tally)
}
