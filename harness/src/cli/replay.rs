//! `leaselab replay`.

use super::fuzz;
use super::options::{StoreChoice, TargetChoice};
use super::reproduction::{Reproduction, ReproductionId};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use crate::run_case::{Backend, run_case};
use crate::suite;
use backend::Function;
use explore::crash::{self, Verdict};
use explore::races;
use scenario::{Case, Id, IdError, Overrides};

pub(super) fn run(args: &Reproduction) -> Result<Exit, CommandError> {
    match &args.id {
        ReproductionId::Race(schedule) => replay_race(schedule, args.verbose),
        ReproductionId::Household(id) => fuzz::replay(id, &args.options, args.verbose),
        ReproductionId::Case(id) => {
            let case = find(id, args.options.store)?;
            if id.schedule.is_empty() {
                replay_case(&case, args)
            } else {
                replay_faults(&case, id, args)
            }
        }
    }
}

/// The case of an id.
fn find(id: &Id, store: StoreChoice) -> Result<Case, CommandError> {
    let named = |name| id.parameter(name).map(str::to_owned).into_iter().collect();
    let overrides = Overrides { rtc: named("rtc"), dialect: named("dialect") };
    for case in suite::load(std::slice::from_ref(&id.path), &overrides)? {
        if id.fits(&case).map_err(CommandError::usage)? {
            return match store {
                StoreChoice::Scenario => Ok(case),
                StoreChoice::Journal => case
                    .into_journal()
                    .map_err(|why| CommandError::usage(format!("--store journal: {why}"))),
            };
        }
    }
    Err(CommandError::file(&id.path, format!("no case [{}]", id.parameters)))
}

/// Plays a case as `run`, `live` or `qemu run` played it.
fn replay_case(case: &Case, args: &Reproduction) -> Result<Exit, CommandError> {
    let backend = Backend::Modelled;
    let options = args.options.runner(TargetChoice::Process, args.verbose)?;
    let report = run_case(case, &options, &backend)?;
    for line in &report.log {
        anstream::println!("{line}");
    }
    for finding in &report.failures {
        anstream::println!("{}", report::finding_text(finding));
    }
    let (word, exit) = match report.verdict {
        runner::Verdict::Passed => ("passed", Exit::Passed),
        runner::Verdict::Failed => ("failed", Exit::Failed),
        runner::Verdict::Skipped(why) => return Err(CommandError::Usage(why)),
    };
    anstream::println!("{word}");
    Ok(exit)
}

/// Plays a case with the power cuts and kills of an id.
fn replay_faults(case: &Case, id: &Id, args: &Reproduction) -> Result<Exit, CommandError> {
    let options = &args.options;
    let script = match &options.script.script {
        Some(_) => Some(Function::Process(options.script.processes(case, options.root)?)),
        None => None,
    };
    let replayed = crash::replay(case, script, id, args.verbose)?
        .map_err(|error: IdError| CommandError::usage(error))?;
    if args.verbose {
        for line in &replayed.log {
            anstream::println!("{line}");
        }
    }
    for breach in &replayed.breaches {
        anstream::println!("  {}: {}", breach.invariant.name(), breach.text);
    }
    let (word, exit) = match replayed.verdict {
        Verdict::Kept => ("kept", Exit::Passed),
        Verdict::Lost => ("lost, as this store must", Exit::Passed),
        Verdict::Broken => ("broken", Exit::Failed),
    };
    anstream::println!("{word}");
    Ok(exit)
}

/// Runs one interleaving of two processes.
fn replay_race(schedule: &races::Schedule, verbose: bool) -> Result<Exit, CommandError> {
    let replayed = races::replay(schedule).map_err(CommandError::usage)?;
    if verbose {
        replayed.log.iter().for_each(|line| anstream::println!("{line}"));
    }
    for effect in &replayed.effects {
        anstream::println!("{effect}");
    }
    if replayed.older > 0 {
        anstream::println!("{} older settings", replayed.older);
    }
    if replayed.effects.is_empty() {
        anstream::println!("nothing lost");
    }
    Ok(if replayed.effects.is_empty() { Exit::Passed } else { Exit::Failed })
}
