//! `leaselab trace`: recordings of real dnsmasq runs.

use std::path::PathBuf;

use clap::Subcommand;
use rayon::prelude::*;

use super::{Exit, Failure, from_journal, import_trace, replay_trace};
use trace::{Recording, Report, check, find};

/// What to do with recordings.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Feed recorded DHCP-level stimuli to the engine and compare its script calls with the recorded ones
    #[command(
        after_help = "Exit codes: 0 all calls equal; 1 some differ; 2 a recording cannot be read"
    )]
    Check(Check),
    /// Turn what lease-script/record.sh wrote on a router into a recording
    Import(import_trace::Args),
    /// Turn journals of ISC dhcpd into DHCP-level events: what happened, and what writing it down cost
    #[command(after_help = "Exit codes: 0 told; 2 a journal cannot be read, or OUT not be written")]
    FromJournal(from_journal::Args),
    /// Feed recorded script calls to a script, and count what they cost the flash
    Replay(replay_trace::Args),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// Recordings, or folders of recordings
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::Check(args) => run_check(args),
        Command::Import(args) => import_trace::run(args),
        Command::FromJournal(args) => from_journal::run(args),
        Command::Replay(args) => replay_trace::run(args),
    }
}

fn run_check(args: &Check) -> Result<Exit, Failure> {
    let input = |error: trace::TraceError| Failure::Input(error.to_string());
    let mut folders = Vec::new();
    for dir in &args.dirs {
        folders.extend(find(dir).map_err(input)?);
    }
    let outcomes: Result<Vec<_>, _> =
        folders.par_iter().map(|folder| check(&Recording::read(folder)?)).collect();
    let outcomes = outcomes.map_err(input)?;
    let report = Report(&outcomes);
    anstream::print!("{report}");
    Ok(if report.differ() == 0 { Exit::Held } else { Exit::Failed })
}
