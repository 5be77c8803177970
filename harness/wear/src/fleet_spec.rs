//! Generates the households of a fleet from a seed, and counts them.

use rayon::prelude::*;

use super::cost_model::CostModel;
use super::count::count_each;
use super::error::WearError;
use super::fleet::{Fleet, FleetEntry, FleetPlan, ScriptCounts};
use super::household::Household;
use super::household_run::HouseholdRun;
use super::router::RouterSpec;
use super::script::Script;
use super::study::build_name;
use dnsmasq_model::Build;
use scenario::DeterministicRng;

/// The parameters of a fleet.
#[derive(Clone, Debug)]
pub struct FleetSpec {
    /// The household from which all others are varied.
    pub typical: Household,
    /// Number of households.
    pub households: u32,
    /// Seed of the households.
    pub seed: u64,
    /// Time to simulate for each household, in seconds.
    pub seconds: u64,
    /// Builds of dnsmasq, all equally likely.
    pub builds: Vec<Build>,
    /// The router.
    pub router: RouterSpec,
    /// Scripts. Every household is counted with each of them.
    pub scripts: Vec<Script>,
    /// Erase cycles that a block endures.
    pub endurance: u32,
}

/// One household of a fleet.
struct Generated {
    household: Household,
    build: Build,
    /// Seed of its random events.
    seed: u64,
}

impl FleetSpec {
    fn plan(&self) -> FleetPlan {
        FleetPlan {
            leaselab: env!("CARGO_PKG_VERSION").to_owned(),
            households: self.households,
            seed: self.seed,
            typical: self.typical.clone(),
            rtc: self.builds.iter().map(|build| build_name(*build).to_owned()).collect(),
            dialect: self.router.dialect.name().to_owned(),
            chip: self.router.chip.name.to_owned(),
            space: self.router.space,
            neighbours: self.router.neighbours,
            endurance: self.endurance,
            scripts: self.scripts.iter().map(|script| script.name()).collect(),
            seconds: self.seconds,
        }
    }

    /// Generates a household. The result depends only on the seed and the index.
    fn generate(&self, index: u32) -> Generated {
        let mut rng = DeterministicRng::new(
            self.seed ^ (u64::from(index) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        );
        let mut vary = |typical: u32| {
            let typical = u64::from(typical);
            rng.between(typical / 2, typical + typical / 2) as u32
        };
        let typical = &self.typical;
        let mut household = Household {
            clients: vary(typical.clients),
            phones: vary(typical.phones),
            phone_home: vary(typical.phone_home).max(1),
            phone_away: vary(typical.phone_away).max(1),
            guests: vary(typical.guests),
            guest_stay: vary(typical.guest_stay).max(1),
            reboots: vary(typical.reboots * 2) / 2,
            sighups: vary(typical.sighups),
            power_cuts: vary(typical.power_cuts * 2) / 2,
            ..typical.clone()
        };
        if household.clients + household.phones + household.guests == 0 {
            household.clients = 1;
        }
        household.lease_time = match rng.below(4) {
            0 => (typical.lease_time / 2).max(120),
            1 => typical.lease_time.saturating_mul(2).min(3_153_600_000),
            _ => typical.lease_time,
        };
        let build = self.builds[rng.below(self.builds.len() as u64) as usize];
        let seed = rng.below(u64::MAX);
        Generated { household, build, seed }
    }

    /// Counts the households whose index modulo `parts` is `part`, on all cores.
    ///
    /// # Errors
    /// Returns an error if a household cannot be counted.
    pub fn count(&self, cost_model: &CostModel, part: u32, parts: u32) -> Result<Fleet, WearError> {
        let entries: Result<Vec<FleetEntry>, WearError> = (0..self.households)
            .into_par_iter()
            .filter(|index| index % parts == part)
            .map(|index| self.count_one(cost_model, index))
            .collect();
        Ok(Fleet { plan: self.plan(), entries: entries? })
    }

    fn count_one(&self, cost_model: &CostModel, index: u32) -> Result<FleetEntry, WearError> {
        let Generated { household, build, seed } = self.generate(index);
        let run = HouseholdRun { household: &household, build, seed, seconds: self.seconds };
        let counted = count_each(cost_model, run, &self.scripts)?;
        let counts = counted.iter().map(|household| ScriptCounts {
            calls: household.wear.calls,
            commits: household.wear.commits,
            erases: household.wear.max_erases(),
            fatal: household.wear.fatal,
        });
        Ok(FleetEntry {
            index,
            rtc: build_name(build).to_owned(),
            clients: household.clients,
            lease_time: household.lease_time,
            power_cuts: household.power_cuts,
            counts: counts.collect(),
        })
    }
}
