//! `leaselab replay`.

use super::common::Common;
use super::{Exit, Failure};
use crate::report;
use crate::run_case::{Backend, run_case};
use crate::suite;
use backend::Function;
use explore::crash::{self, Verdict};
use scenario::{Case, Id, IdError, Overrides};

/// The arguments of `leaselab replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An id that `leaselab crash` or `leaselab fuzz` printed
    id: String,
    /// Print every event, call, nvram command, flash operation and strike
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    if let Some(raced) = super::races::run_replay(&args.id, args.verbose) {
        return raced;
    }
    let refuse = |error: IdError| Failure::Input(error.to_string());
    if explore::fuzz::Id::is_meant(&args.id) {
        return super::fuzz::replay(&args.id, &args.common, args.verbose);
    }
    let id: Id = args.id.parse().map_err(refuse)?;
    let named = |name| id.parameter(name).map(str::to_owned).into_iter().collect();
    let overrides = Overrides { rtc: named("rtc"), dialect: named("dialect") };
    let mut found = None;
    for case in suite::load(std::slice::from_ref(&id.path), &overrides)? {
        if id.fits(&case).map_err(refuse)? {
            found = Some(case);
            break;
        }
    }
    let case = found.ok_or_else(|| {
        Failure::Input(format!("{}: no case [{}]", id.path.display(), id.parameters))
    })?;
    if id.schedule.is_empty() {
        return run_again(&case, args);
    }
    let script = args.common.processes(&case)?.map(Function::Process);
    let replayed = crash::replay(&case, script, &id, args.verbose)?.map_err(refuse)?;
    if args.verbose {
        for line in &replayed.log {
            anstream::println!("{line}");
        }
    }
    for breach in &replayed.breaches {
        anstream::println!("  {}: {}", breach.invariant.name(), breach.text);
    }
    let (word, exit) = match replayed.verdict {
        Verdict::Kept => ("kept", Exit::Held),
        Verdict::Lost => ("lost, as this store must", Exit::Held),
        Verdict::Broken => ("broken", Exit::Failed),
    };
    anstream::println!("{word}");
    Ok(exit)
}

/// A case as `leaselab run` runs it.
fn run_again(case: &Case, args: &Args) -> Result<Exit, Failure> {
    let report = run_case(case, &args.common.options(args.verbose)?, &Backend::Modelled)?;
    for line in &report.log {
        anstream::println!("{line}");
    }
    for finding in &report.failures {
        anstream::println!("{}", report::finding_text(finding));
    }
    let (word, exit) = match report.verdict {
        runner::Verdict::Passed => ("passed".to_owned(), Exit::Held),
        runner::Verdict::Failed => ("failed".to_owned(), Exit::Failed),
        runner::Verdict::Skipped(why) => return Err(Failure::Input(why)),
    };
    anstream::println!("{word}");
    Ok(exit)
}
