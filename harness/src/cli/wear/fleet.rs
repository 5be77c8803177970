//! `leaselab wear fleet`.

use std::path::{Path, PathBuf};

use super::study::{self, StudyArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use crate::suite::Shard;
use wear::{CostModel, Fleet, FleetSpec, Method};

/// Largest number of households of one fleet.
const MAX_HOUSEHOLDS: i64 = 10_000_000;

/// The arguments of `leaselab wear fleet`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number of households
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_HOUSEHOLDS))]
    households: u32,
    /// Count only the I-th of N parts of the fleet; `wear merge` merges the JSON reports
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    #[command(flatten)]
    study: StudyArgs,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let simulation = args.study.simulation(Method::Count, false)?;
    report::check_writable(args.json.iter())?;
    let [router] = args.study.router.routers()?[..] else {
        return Err(CommandError::usage(
            "a fleet has one dialect and one chip: name only one with --dialect and --chip",
        ));
    };
    let cost_model = CostModel::new(&router).map_err(CommandError::usage)?;
    let spec = FleetSpec {
        households: args.households,
        seed: simulation.seed,
        seconds: simulation.seconds,
        builds: args.study.builds(),
        router,
        scripts: args.study.scripts(simulation.household.lease_time),
        endurance: args.study.router.endurance.unwrap_or(router.chip.endurance),
        typical: simulation.household,
    };
    let Shard { index, count } = args.shard.unwrap_or(Shard { index: 1, count: 1 });
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let pool = args.study.jobs.pool()?;
    let fleet = pool
        .install(|| spec.count(&cost_model, number(index - 1), number(count)))
        .map_err(study::error)?;
    finish(&fleet, args.json.as_deref())
}

/// Writes the JSON report of a fleet and prints its table.
///
/// # Errors
/// A report that cannot be written.
pub(super) fn finish(fleet: &Fleet, json: Option<&Path>) -> Result<Exit, CommandError> {
    if let Some(path) = json {
        report::write_atomically(path, fleet.json().as_bytes())?;
    }
    out!("{}", fleet.table());
    Ok(Exit::Passed)
}
