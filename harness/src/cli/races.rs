//! `leaselab races`.

use super::options::ReplayOptions;
use super::reproduction::{Reproduction, ReproductionId};
use crate::error::CommandError;
use crate::exit::Exit;
use explore::races::trials::{self, Trials};
use explore::races::{Effect, Found, Group, Lock, Race, catalogue, explore};

/// Kinds of loss that are printed of each race.
const SHOWN: usize = 6;

/// The arguments of `leaselab races`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Explore only the race of this name
    #[arg(long, value_name = "NAME")]
    race: Option<String>,
    /// Print every kind of loss, however rare
    #[arg(long)]
    list: bool,
    /// Race by chance instead: N times, real processes set a variable each at the same time
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
    if races.is_empty() {
        let names: Vec<&str> = catalogue().iter().map(|race| race.name).collect();
        return Err(CommandError::Usage(format!(
            "unknown race \"{}\": expected one of {}",
            wanted.unwrap_or_default(),
            names.join(", ")
        )));
    }
    let mut lost_under_lock = 0;
    for race in &races {
        outln!("{}: {}", race.name, race.title);
        for lock in [Lock::None, Lock::Held] {
            let found = explore(race, lock).ok_or_else(|| {
                CommandError::Environment("this build lacks the openwrt dialect".to_owned())
            })?;
            print_found(&found, lock, list);
            if lock == Lock::Held {
                lost_under_lock += found.interleavings - found.held();
            }
        }
    }
    outln!("{} races, {lost_under_lock} interleavings lose something under the lock", races.len());
    Ok(if lost_under_lock == 0 { Exit::Passed } else { Exit::Failed })
}

fn print_found(found: &Found, lock: Lock, all: bool) {
    let lock = if lock == Lock::Held { "with the lock" } else { "no lock" };
    let Found { interleavings, states, .. } = found;
    outln!(
        "  {lock}: {interleavings} interleavings, {states} states, {} lose something silently",
        percent(found.silent(), *interleavings)
    );
    let shown = if all { found.groups.len() } else { SHOWN };
    for group in found.groups.iter().take(shown) {
        print_group(group, *interleavings);
    }
    if let Some(rest) = found.groups.get(shown..).filter(|rest| !rest.is_empty()) {
        let ways = rest.iter().map(|group| group.ways).sum();
        let share = percent(ways, *interleavings);
        outln!("    {share:>7}  {} further combinations of these: add --list", rest.len());
    }
}

fn print_group(group: &Group, interleavings: u128) {
    let mut what: Vec<String> = group
        .effects
        .iter()
        .map(|effect| match effect {
            Effect::Older => format!("up to {} older settings lost", group.older),
            other => other.to_string(),
        })
        .collect();
    if what.is_empty() {
        what.push("nothing lost".to_owned());
    }
    if group.crashes > 0 {
        what.push(format!("a command crashes in {}", percent(group.crashes, group.ways)));
    }
    outln!("    {:>7}  {}", percent(group.ways, interleavings), what.join(", "));
    if !group.effects.is_empty() {
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
    let lock = if args.no_lock { Lock::None } else { Lock::Held };
    let result = trials::run(&leaselab, trials, args.writers, lock).map_err(environment)?;
    let Trials { trials, sets, lost, lost_silently, older_lost, failed } = result;
    outln!(
        "{trials} trials of {} writers: {lost} of {sets} settings lost, {lost_silently} of them silently, \
         {older_lost} older ones with them, {failed} commands failed",
        args.writers
    );
    let all_held = lost + older_lost + failed == 0;
    Ok(if all_held || args.no_lock { Exit::Passed } else { Exit::Failed })
}
