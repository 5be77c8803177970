//! `leaselab replay`.

use super::options::{ReplayOptions, StoreChoice, TargetChoice};
use super::reproduction::{PlayedOn, Reproduction, ReproductionId};
use super::{fuzz, live};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report::{self, Detail, FileReport, FoldedFindings, crash as text};
use crate::run_case::{BackendChoice, run_case};
use crate::suite;
use backend::Function;
use explore::crash::{self, Verdict};
use explore::races;
use scenario::{Case, Id, Overrides};

pub(super) fn run(args: &Reproduction) -> Result<Exit, CommandError> {
    args.check()?;
    match &args.id {
        ReproductionId::Race(schedule) => replay_race(schedule, args.verbose),
        ReproductionId::Household(id) => fuzz::replay(id, &args.options, args.verbose),
        ReproductionId::Case(on, id) => replay_case(&find(id, args.options.store)?, *on, args),
        ReproductionId::Faults(id) => replay_faults(&find(id, args.options.store)?, id, args),
    }
}

/// The case of an id.
fn find(id: &Id, store: StoreChoice) -> Result<Case, CommandError> {
    let named = |name| id.parameter(name).map(str::to_owned).into_iter().collect();
    let overrides = Overrides {
        rtc: named("rtc"),
        dialect: named("dialect"),
        dnsmasq: named("dnsmasq"),
        chosen_script: false,
    };
    for case in suite::load(std::slice::from_ref(&id.path), &overrides)?.cases {
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
fn replay_case(case: &Case, on: PlayedOn, args: &Reproduction) -> Result<Exit, CommandError> {
    let backend = match on {
        PlayedOn::Model => BackendChoice::Modelled,
        PlayedOn::Live => {
            let live = args.options.live.clone().with_environment();
            let backend = live::backend(&ReplayOptions { live, ..args.options.clone() })?;
            live::enter()?;
            backend
        }
        PlayedOn::Qemu => {
            args.options.script.check()?;
            BackendChoice::Qemu(args.options.guest.pool(None)?)
        }
    };
    let options = args.options.runner(TargetChoice::Process, args.verbose)?;
    let report = run_case(case, &options, &backend)?;
    for line in &report.log {
        outln!("{line}");
    }
    let verdict = report.verdict.clone();
    let file = FileReport::of_one(case, report);
    report::print_failures(&report::cases_report(None, &[file], &[]).failures, Detail::All);
    let (word, exit) = match verdict {
        runner::Verdict::Passed => ("passed", Exit::Passed),
        runner::Verdict::Failed => ("failed", Exit::Failed),
        runner::Verdict::Invalid(error) => return Err(error.into()),
        runner::Verdict::Skipped(why) => return Err(CommandError::Usage(why)),
    };
    outln!("{word}");
    Ok(exit)
}

/// Plays a case with the power cuts and kills of an id.
fn replay_faults(case: &Case, id: &Id, args: &Reproduction) -> Result<Exit, CommandError> {
    let options = &args.options;
    let script = match &options.script.script {
        Some(_) => Some(Function::Process(options.script.processes(case, options.sandbox)?)),
        None => None,
    };
    let (choice, gate) = (options.script.choice()?, options.gate());
    let replayed = crash::replay(case, script, &choice, &gate, id, args.verbose)?;
    if args.verbose {
        for line in &replayed.log {
            outln!("{line}");
        }
    }
    let mut found = FoldedFindings::default();
    text::add_violations(&mut found, case, &replayed.violations, &|_| String::new());
    report::print_failures(&found.finish(), Detail::All);
    let (word, exit) = match replayed.verdict {
        Verdict::Kept => ("kept", Exit::Passed),
        Verdict::Allowed => ("allowed", Exit::Passed),
        Verdict::Lost => ("lost, unavoidably with this store", Exit::Passed),
        Verdict::Broken => ("broken", Exit::Failed),
    };
    outln!("{word}");
    Ok(exit)
}

/// Runs one interleaving of two processes.
fn replay_race(schedule: &races::Schedule, verbose: bool) -> Result<Exit, CommandError> {
    let replayed = races::replay(schedule).map_err(CommandError::usage)?;
    if verbose {
        replayed.log.iter().for_each(|line| outln!("{line}"));
    }
    for anomaly in &replayed.anomalies {
        outln!("{anomaly}");
    }
    if replayed.lost_settings > 0 {
        outln!("{} older settings", replayed.lost_settings);
    }
    if replayed.anomalies.is_empty() {
        outln!("nothing lost");
    }
    Ok(if replayed.anomalies.is_empty() { Exit::Passed } else { Exit::Failed })
}
