//! `leaselab replay`.

use super::{Exit, Failure};
use crate::crash::{self, Id, Verdict};
use crate::scenario::Overrides;
use crate::suite;

/// The arguments of `leaselab replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An id that `leaselab crash` or `leaselab fuzz` printed
    id: String,
    /// Print every strike, call, nvram command and flash operation
    #[arg(long)]
    verbose: bool,
    #[command(flatten)]
    common: super::common::Common,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    if let Some(raced) = super::races::run_replay(&args.id, args.verbose) {
        return raced;
    }
    let refuse = |error: crash::IdError| Failure::Input(error.to_string());
    if crate::fuzz::Id::is_meant(&args.id) {
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
    let replayed = crash::replay(&case, None, &id)?.map_err(refuse)?;
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
