//! `leaselab trace replay`: what recorded script calls cost a target.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::common::Common;
use super::{Exit, Failure};
use backend::process::Process;
use backend::{Backend, CallOptions, Function, InProcess};
use dnsmasq_model::ScriptCall;
use runner::{Options, Tally, TargetKind, setup};
use scenario::{Bytes, Router};
use trace::{Recording, find};

/// The arguments of `leaselab trace replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recordings, or folders of recordings
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Size of the NVRAM, such as 64KiB
    #[arg(long, value_name = "SIZE", default_value = "32KiB")]
    space: Bytes,
    /// Bytes of other programs' variables to start with
    #[arg(long, value_name = "SIZE", default_value = "8KiB")]
    neighbours: Bytes,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let dialect = match args.common.dialects() {
        [] => "openwrt",
        [one] => one,
        _ => return Err(Failure::Input("--dialect: one for a replay".to_owned())),
    };
    let router = Router {
        dialect: Spanned::new(0..0, dialect.to_owned()),
        space: args.space,
        neighbours: args.neighbours,
        ..Router::default()
    };
    let options = args.common.options(false)?;
    let input = |error: trace::TraceError| Failure::Input(error.to_string());
    let mut folders = Vec::new();
    for dir in &args.dirs {
        folders.extend(find(dir).map_err(input)?);
    }
    let mut total = Tally::default();
    for folder in &folders {
        let recording = Recording::read(folder).map_err(input)?;
        let tally = replay(&recording, &router, &options)?;
        anstream::println!("{:<44} {}", recording.label(), counts(&tally));
        total.add(&tally);
    }
    anstream::println!("{} recordings: {}", folders.len(), counts(&total));
    Ok(if total.failed_calls > 0 { Exit::Failed } else { Exit::Held })
}

fn counts(tally: &Tally) -> String {
    format!(
        "{:>6} calls {:>4} failed {:>6} commits {:>6} erases {:>9} bytes programmed",
        tally.calls, tally.failed_calls, tally.commits, tally.erases, tally.programmed
    )
}

fn replay(recording: &Recording, router: &Router, options: &Options) -> Result<Tally, Failure> {
    let machine = setup::machine(router, Path::new("."))
        .map_err(|refusal| Failure::Input(refusal.to_string()))?;
    let mut target: Box<dyn Backend> = match &options.target {
        TargetKind::InProcess if options.script.path.is_none() => {
            Box::new(InProcess::new(machine, Function::Ours(lease_script::Config::default())))
        }
        TargetKind::InProcess => {
            let why = "a script of your own runs in processes only".to_owned();
            return Err(Failure::Input(why));
        }
        TargetKind::Process(settings) | TargetKind::Both(settings) => {
            let script = options.script.command();
            Box::new(Process::new(machine, &script, settings)?)
        }
    };
    // What the router had stored before is there before, and costs nothing.
    let found = recording.found();
    for variable in &found {
        target.nvram(&[b"set", variable])?;
    }
    if !found.is_empty() {
        target.nvram(&[b"commit"])?;
    }
    let mut tally = Tally::default();
    for call in &recording.calls {
        let call = ScriptCall {
            argv: call.argv.iter().map(|word| word.0.clone()).collect(),
            env: call.env.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
        };
        let result = target.call(&call, &CallOptions::default())?;
        tally.call(&call, &result);
    }
    Ok(tally)
}
