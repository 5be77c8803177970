//! Routers, builds and scripts, all under the same household.

use rayon::prelude::*;
use serde::Serialize;

use super::household::Household;
use super::ledger::Ledger;
use super::life::Life;
use super::limits::{Limits, limits};
use super::market::{Market, NotPriced};
use super::rendered::Rendered;
use super::router::{RouterSpec, Script};
use super::simulate::{Broken, addresses, live};
use super::tally::Wear;
use crate::dnsmasq::Build;
use crate::target::InProcess;

/// What is to be found out.
#[derive(Clone, Debug)]
pub struct Study {
    /// Who lives there.
    pub household: Household,
    /// Of the dice.
    pub seed: u64,
    /// How long, seconds.
    pub seconds: u64,
    /// Builds of dnsmasq.
    pub builds: Vec<Build>,
    /// Routers.
    pub routers: Vec<RouterSpec>,
    /// Scripts.
    pub scripts: Vec<Script>,
    /// Erase cycles of a block, in place of the chip's.
    pub endurance: Option<u32>,
    /// Whether to look for the household at which life drops under 10 and 5 years.
    pub limits: bool,
    /// Whether calls are put into words and carried out on a machine in memory.
    pub rendered: bool,
}

/// One router with one build and one script.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `good` or `broken`.
    pub rtc: &'static str,
    /// The dialect.
    pub dialect: &'static str,
    /// The chip.
    pub chip: &'static str,
    /// The script.
    pub script: String,
    /// Erase cycles that a block is rated for.
    pub endurance: u32,
    /// Whether there was ever more to store than the NVRAM holds.
    pub full: bool,
    /// Rates and years.
    pub life: Life,
    /// The counts behind them.
    pub wear: Wear,
    /// Where life gets short, where that was asked for.
    pub limits: Option<Limits>,
}

/// A row, or why there is none.
pub type Entry = Result<Row, Nothing>;

/// A combination that cannot be counted.
#[derive(Clone, Debug, Serialize)]
pub struct Nothing {
    /// The dialect.
    pub dialect: &'static str,
    /// The chip.
    pub chip: &'static str,
    /// Why.
    pub why: String,
}

/// `good` or `broken`.
pub fn build_name(build: Build) -> &'static str {
    match build {
        Build::Rtc => "good",
        Build::NoRtc => "broken",
    }
}

/// Counts a household on one router.
///
/// # Errors
/// A life that ends early, or a script that fails.
pub fn count(
    market: &Market,
    household: &Household,
    build: Build,
    script: Script,
    seed: u64,
    seconds: u64,
) -> Result<(Wear, bool), CannotCount> {
    let (first, number) = addresses(household);
    let mut ledger = Ledger::new(market, script, build, seconds, first, number)?;
    live(household, build, seed, seconds, &mut ledger)?;
    let full = ledger.is_full();
    Ok((ledger.finish(), full))
}

/// The same with every call put into words, and every command run on a machine in memory.
///
/// # Errors
/// As [`count`], and where a call fails: the NVRAM is full.
pub fn count_rendered(
    market: &Market,
    household: &Household,
    build: Build,
    script: Script,
    seed: u64,
    seconds: u64,
) -> Result<Wear, CannotCount> {
    let mut target = InProcess::new(market.machine().clone(), script.function());
    let mut store = Rendered::new(market, &mut target, seconds);
    live(household, build, seed, seconds, &mut store)?;
    Ok(store.finish()?)
}

/// Why a household cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum CannotCount {
    /// On this router.
    #[error(transparent)]
    Router(#[from] NotPriced),
    /// Not to its end.
    #[error(transparent)]
    Life(#[from] Broken),
}

impl Study {
    /// Counts everything, on all cores, in the order of routers, builds, scripts.
    pub fn run(&self) -> Vec<Entry> {
        let nothing = |spec: &RouterSpec, why: String| Nothing {
            dialect: spec.dialect.name(),
            chip: spec.chip.name,
            why,
        };
        self.routers
            .par_iter()
            .flat_map(|spec| {
                let market = match Market::new(spec) {
                    Ok(market) => market,
                    Err(error) => return vec![Err(nothing(spec, error.to_string()))],
                };
                let cases: Vec<(Build, Script)> = self
                    .builds
                    .iter()
                    .flat_map(|build| self.scripts.iter().map(|script| (*build, *script)))
                    .collect();
                cases
                    .par_iter()
                    .map(|(build, script)| {
                        self.row(&market, spec, *build, *script)
                            .map_err(|error| nothing(spec, error.to_string()))
                    })
                    .collect()
            })
            .collect()
    }

    fn row(
        &self,
        market: &Market,
        spec: &RouterSpec,
        build: Build,
        script: Script,
    ) -> Result<Row, CannotCount> {
        let Self { household, seed, seconds, .. } = self;
        let endurance = self.endurance.unwrap_or(spec.chip.endurance);
        let (wear, full) = if self.rendered {
            (count_rendered(market, household, build, script, *seed, *seconds)?, false)
        } else {
            count(market, household, build, script, *seed, *seconds)?
        };
        let limits = if self.limits {
            Some(limits(market, household, build, script, *seed, endurance)?)
        } else {
            None
        };
        Ok(Row {
            rtc: build_name(build),
            dialect: spec.dialect.name(),
            chip: spec.chip.name,
            script: script.name(),
            endurance,
            full,
            life: Life::of(&wear, endurance),
            wear,
            limits,
        })
    }
}
