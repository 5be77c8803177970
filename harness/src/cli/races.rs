//! `leaselab races`.

use clap::builder::PossibleValuesParser;

use super::options::ReplayOptions;
use super::reproduction::{Reproduction, ReproductionId};
use crate::error::CommandError;
use crate::exit::Exit;
use explore::races::stress::{self, StressReport};
use explore::races::{Anomaly, Locking, OutcomeGroup, Race, RaceReport, catalogue, explore};
use scenario::quantity;

/// Number of kinds of loss that are printed for each race.
const SHOWN: usize = 6;

/// The arguments of `leaselab races`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Explore only the race with this name
    #[arg(long, value_name = "NAME", value_parser = race_names())]
    race: Option<String>,
    /// Print every kind of loss, however rare
    #[arg(long)]
    list: bool,
    /// Run N random trials instead, in each of which real processes set and commit variables, and read the leases, at the same time
    #[arg(long, value_name = "N", conflicts_with_all = ["race", "list"],
          value_parser = clap::value_parser!(u32).range(1..))]
    trials: Option<u32>,
    /// Number of processes in a trial
    #[arg(long, value_name = "N", requires = "trials", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    writers: u32,
    /// Run the trials without the lock, like the real OpenWrt tool
    #[arg(long, requires = "trials")]
    no_lock: bool,
}

fn race_names() -> PossibleValuesParser {
    PossibleValuesParser::new(catalogue().iter().map(|race| race.name))
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    match args.trials {
        Some(trials) => run_trials(args, trials),
        None => run_races(args.race.as_deref(), args.list),
    }
}

fn run_races(wanted: Option<&str>, list: bool) -> Result<Exit, CommandError> {
    let races: Vec<Race> = catalogue()
        .into_iter()
        .filter(|race| wanted.is_none_or(|name| name == race.name))
        .collect();
    let mut lost_under_lock = 0;
    for race in &races {
        outln!("{}: {}", race.name, race.title);
        for lock in [Locking::None, Locking::PerCommand] {
            let report = explore(race, lock).ok_or_else(|| {
                CommandError::Environment("this build lacks the openwrt dialect".to_owned())
            })?;
            print_report(&report, lock, list);
            if lock == Locking::PerCommand {
                lost_under_lock += report.interleavings - report.correct();
            }
        }
    }
    let lost = quantity(lost_under_lock, "interleaving");
    let verb = if lost_under_lock == 1 { "loses" } else { "lose" };
    outln!("{}, {lost} {verb} something under the lock", quantity(races.len(), "race"));
    Ok(if lost_under_lock == 0 { Exit::Passed } else { Exit::Failed })
}

fn print_report(report: &RaceReport, lock: Locking, all: bool) {
    let lock = if lock == Locking::PerCommand { "with the lock" } else { "no lock" };
    let RaceReport { interleavings, states, .. } = report;
    outln!(
        "  {lock}: {interleavings} interleavings, {states} states, {} lose something silently",
        percent(report.silent(), *interleavings)
    );
    let shown = if all { report.groups.len() } else { SHOWN };
    for group in report.groups.iter().take(shown) {
        print_group(group, *interleavings);
    }
    if let Some(rest) = report.groups.get(shown..).filter(|rest| !rest.is_empty()) {
        let count = rest.iter().map(|group| group.interleavings).sum();
        let share = percent(count, *interleavings);
        outln!("    {share:>7}  {} further combinations: --list shows them", rest.len());
    }
}

fn print_group(group: &OutcomeGroup, interleavings: u128) {
    let mut what: Vec<String> = group
        .anomalies
        .iter()
        .map(|anomaly| match anomaly {
            Anomaly::LostSettings => format!("up to {} older settings lost", group.lost_settings),
            other => other.to_string(),
        })
        .collect();
    if what.is_empty() {
        what.push("nothing lost".to_owned());
    }
    if group.crashes > 0 {
        what.push(format!("a command crashes in {}", percent(group.crashes, group.interleavings)));
    }
    outln!("    {:>7}  {}", percent(group.interleavings, interleavings), what.join(", "));
    if !group.anomalies.is_empty() {
        let command = Reproduction {
            id: ReproductionId::Race(group.example.clone()),
            verbose: true,
            options: ReplayOptions::default(),
        };
        outln!("             {command}");
    }
}

fn percent(part: u128, whole: u128) -> String {
    if part > 0 && part < whole / 10_000 {
        return "<0.01%".to_owned();
    }
    let basis = part * 10_000 / whole.max(1);
    format!("{}.{:02}%", basis / 100, basis % 100)
}

fn run_trials(args: &Args, trials: u32) -> Result<Exit, CommandError> {
    let environment = |error: std::io::Error| CommandError::Environment(format!("trials: {error}"));
    let leaselab = std::env::current_exe().map_err(environment)?;
    let lock = if args.no_lock { Locking::None } else { Locking::PerCommand };
    let result = stress::run(&leaselab, trials, args.writers, lock).map_err(environment)?;
    let StressReport { trials, sets, lost, lost_silently, lost_settings, failed, .. } = result;
    outln!(
        "{trials} trials of {} writers: {lost} of {sets} settings lost, {lost_silently} of them silently, \
         {lost_settings} older ones with them, {failed} commands failed",
        args.writers
    );
    let StressReport { inits, incomplete_inits, .. } = result;
    outln!("{incomplete_inits} of {inits} concurrent calls of lease-update init lacked a lease");
    let all_held = lost + lost_settings + failed + incomplete_inits == 0;
    Ok(if all_held || args.no_lock { Exit::Passed } else { Exit::Failed })
}
