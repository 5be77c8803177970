//! The life of the flash at several lease times.

use rayon::prelude::*;

use crate::cost_model::CostModel;
use crate::count::{HouseholdWear, count_unlimited};
use crate::durations::DAY;
use crate::error::WearError;
use crate::household::Household;
use crate::household_run::HouseholdRun;
use crate::script::Script;
use crate::study::{Calls, Simulation, Study, build_name};
use crate::yearly_wear::YearlyWear;
use dnsmasq_model::Build;

/// The lease times that are counted, in seconds.
const LEASE_TIMES: [u32; 11] =
    [120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 259_200, 604_800];
/// Simulated time for each lease time, in seconds.
const SAMPLE: u64 = 30 * DAY;

/// The life of the flash at several lease times, with one build and one script.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The names of the script and the build.
    pub label: String,
    /// Lease times in seconds, and lifetimes in years. A lifetime is `None` if no block is erased.
    pub points: Vec<(f64, Option<f64>)>,
}

impl Study {
    /// Counts the household at several lease times on the first router. Recordings and scenarios have no curves.
    ///
    /// # Errors
    /// Returns an error in the cases of [`crate::count`].
    pub fn curves(&self) -> Result<Vec<Curve>, WearError> {
        let (Calls::Simulated(simulation), Some(router)) = (&self.calls, self.routers.first())
        else {
            return Ok(Vec::new());
        };
        let cost_model = CostModel::new(router)?;
        let endurance = self.endurance.unwrap_or(router.chip.endurance);
        let pairs: Vec<_> = self
            .builds
            .iter()
            .flat_map(|build| self.scripts.iter().map(|script| (*build, *script)))
            .collect();
        pairs
            .par_iter()
            .map(|(build, script)| simulation.curve(&cost_model, endurance, *build, *script))
            .collect()
    }
}

impl Simulation {
    fn curve(
        &self,
        cost_model: &CostModel,
        endurance: u32,
        build: Build,
        script: Script,
    ) -> Result<Curve, WearError> {
        let point = |lease_time: &u32| -> Result<_, WearError> {
            let household = Household { lease_time: *lease_time, ..self.household.clone() };
            let run = HouseholdRun { household: &household, seconds: SAMPLE, ..self.run(build) };
            let HouseholdWear { wear, .. } = count_unlimited(cost_model, run, script)?;
            let years = YearlyWear::of(&wear, endurance, SAMPLE).years;
            Ok((f64::from(*lease_time), years))
        };
        let points = LEASE_TIMES.par_iter().map(point).collect::<Result<_, _>>()?;
        Ok(Curve { label: format!("{}, {} clock", script.name(), build_name(build)), points })
    }
}
