//! `leaselab crash --races`.

use anstream::println;

use super::{Exit, Failure};
use explore::races::trials::{self, Trials};
use explore::races::{
    Effect, Found, Lock, Race, Schedule, ScheduleError, catalogue, explore, replay,
};

/// Kinds of loss that are printed of each race.
const SHOWN: usize = 6;

/// The options of `leaselab crash --races`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Interleave two processes at one NVRAM, step by step, instead of cutting power
    #[arg(long = "races", id = "races", conflicts_with = "paths")]
    pub(super) wanted: bool,
    /// Only this race, by its name
    #[arg(long, value_name = "NAME", requires = "races")]
    race: Option<String>,
    /// Race by chance instead: so many times, real processes set a variable each at the same time
    #[arg(long, value_name = "N", requires = "races", conflicts_with = "race",
          value_parser = clap::value_parser!(u32).range(1..))]
    trials: Option<u32>,
    /// How many processes in a trial
    #[arg(long, value_name = "N", requires = "trials", default_value_t = 4,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    writers: u32,
    /// Trials without the lock, as the real OpenWrt tool is
    #[arg(long, requires = "trials")]
    no_lock: bool,
}

/// `list`: print every kind of loss, however rare.
pub(super) fn run(args: &Args, list: bool) -> Result<Exit, Failure> {
    match args.trials {
        Some(trials) => run_trials(args, trials),
        None => run_races(args.race.as_deref(), list),
    }
}

fn run_races(wanted: Option<&str>, list: bool) -> Result<Exit, Failure> {
    let races: Vec<Race> = catalogue()
        .into_iter()
        .filter(|race| wanted.is_none_or(|name| name == race.name))
        .collect();
    if races.is_empty() {
        let names: Vec<&str> = catalogue().iter().map(|race| race.name).collect();
        return Err(Failure::Input(format!(
            "--race {}: no such race; there are {}",
            wanted.unwrap_or_default(),
            names.join(", ")
        )));
    }
    let mut lost_under_lock = 0;
    for race in &races {
        println!("{}: {}", race.name, race.title);
        for lock in [Lock::None, Lock::Held] {
            let found = explore(race, lock).ok_or_else(|| {
                Failure::Environment("this build has no openwrt dialect".to_owned())
            })?;
            print_found(&found, lock, list);
            if lock == Lock::Held {
                lost_under_lock += found.interleavings - found.held();
            }
        }
    }
    println!(
        "{} races, {lost_under_lock} interleavings lose something under the lock",
        races.len()
    );
    Ok(if lost_under_lock == 0 { Exit::Held } else { Exit::Failed })
}

fn print_found(found: &Found, lock: Lock, all: bool) {
    let lock = if lock == Lock::Held { "with the lock" } else { "no lock" };
    let Found { interleavings, states, .. } = found;
    println!(
        "  {lock}: {interleavings} interleavings, {states} states, {} lose something silently",
        percent(found.silent(), *interleavings)
    );
    let shown = if all { found.groups.len() } else { SHOWN };
    for group in found.groups.iter().take(shown) {
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
        println!("    {:>7}  {}", percent(group.ways, *interleavings), what.join(", "));
        if !group.effects.is_empty() {
            println!("             leaselab replay '{}' --verbose", group.example);
        }
    }
    if let Some(rest) = found.groups.get(shown..).filter(|rest| !rest.is_empty()) {
        let ways = rest.iter().map(|group| group.ways).sum();
        let share = percent(ways, *interleavings);
        println!("    {share:>7}  {} further combinations of these: add --list", rest.len());
    }
}

fn percent(part: u128, whole: u128) -> String {
    if part > 0 && part < whole / 10_000 {
        return "<0.01%".to_owned();
    }
    let basis = part * 10_000 / whole.max(1);
    format!("{}.{:02}%", basis / 100, basis % 100)
}

fn run_trials(args: &Args, trials: u32) -> Result<Exit, Failure> {
    let environment = |error: std::io::Error| Failure::Environment(format!("trials: {error}"));
    let leaselab = std::env::current_exe().map_err(environment)?;
    let lock = if args.no_lock { Lock::None } else { Lock::Held };
    let result = trials::run(&leaselab, trials, args.writers, lock).map_err(environment)?;
    let Trials { trials, sets, lost, lost_silently, older_lost, failed } = result;
    println!(
        "{trials} trials of {} writers: {lost} of {sets} settings lost, {lost_silently} of them silently, \
         {older_lost} older ones with them, {failed} commands failed",
        args.writers
    );
    let all_held = lost + older_lost + failed == 0;
    Ok(if all_held || args.no_lock { Exit::Held } else { Exit::Failed })
}

/// Runs one interleaving again; `None` where the id is not one of a race.
pub(super) fn run_replay(id: &str, verbose: bool) -> Option<Result<Exit, Failure>> {
    id.starts_with('r').then(|| {
        let refuse = |error: ScheduleError| Failure::Input(error.to_string());
        let schedule: Schedule = id.parse().map_err(refuse)?;
        let replayed = replay(&schedule).map_err(refuse)?;
        if verbose {
            replayed.log.iter().for_each(|line| println!("{line}"));
        }
        for effect in &replayed.effects {
            println!("{effect}");
        }
        if replayed.older > 0 {
            println!("{} older settings", replayed.older);
        }
        if replayed.effects.is_empty() {
            println!("nothing lost");
        }
        Ok(if replayed.effects.is_empty() { Exit::Held } else { Exit::Failed })
    })
}
