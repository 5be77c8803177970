//! The same workloads on several routers, builds and scripts.

use rayon::prelude::*;
use serde::Serialize;

use super::cost_model::CostModel;
use super::count::{HouseholdWear, count, count_executed, count_images, count_workload};
use super::durations::DAY;
use super::error::WearError;
use super::household::Household;
use super::household_run::HouseholdRun;
use super::image_builder::ImageMode;
use super::limits::{Limits, find_limits};
use super::router::RouterSpec;
use super::script::Script;
use super::source::{Source, scenario};
use super::wear_counts::WearCounts;
use super::yearly_wear::YearlyWear;
use dnsmasq_model::Build;
use runner::CaseError;
use trace::Workload;

/// What to count.
#[derive(Clone, Debug)]
pub struct Study {
    /// The household, if there is no `source`.
    pub household: Household,
    /// Recordings or scenarios to count instead of the household.
    pub source: Option<Source>,
    /// Time after which a workload of `source` starts again, in seconds. Default: its length, at least a day.
    pub every: Option<u64>,
    /// Seed of the household's random events.
    pub seed: u64,
    /// Time of the household to simulate, in seconds.
    pub seconds: u64,
    /// Builds of dnsmasq.
    pub builds: Vec<Build>,
    /// Routers.
    pub routers: Vec<RouterSpec>,
    /// The name of the router, if it is a well-known one.
    pub model: Option<String>,
    /// Scripts.
    pub scripts: Vec<Script>,
    /// Erase cycles that a block endures, if not the chip's rating.
    pub endurance: Option<u32>,
    /// Whether to find the households at which the flash lasts less than 10 and 5 years.
    pub limits: bool,
    /// How to count the household.
    pub method: Method,
}

/// How to count a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Count events without executing calls.
    Count,
    /// Count, and build the flash image of every commit.
    BuildImages(ImageMode),
    /// Execute every call on a machine in memory.
    Execute,
}

/// The counts of one workload, router, build and script.
#[derive(Clone, Debug, Serialize)]
pub struct StudyRow {
    /// Name of the workload, if it is not the household.
    pub workload: Option<String>,
    /// Time after which the workload starts again, in seconds.
    pub every: u64,
    /// The build: `good` or `broken`.
    pub rtc: &'static str,
    /// The dialect.
    pub dialect: &'static str,
    /// The chip.
    pub chip: &'static str,
    /// The script.
    pub script: String,
    /// Erase cycles that a block endures.
    pub endurance: u32,
    /// Whether the leases ever exceeded the NVRAM.
    #[serde(rename = "full")]
    pub nvram_full: bool,
    /// `wear` as rates.
    #[serde(rename = "life")]
    pub yearly: YearlyWear,
    /// The counts.
    pub wear: WearCounts,
    /// The result of [`Study::limits`].
    pub limits: Option<Limits>,
}

/// A row, or why it could not be counted.
pub type RowResult = Result<StudyRow, Unsupported>;

/// A router that could not be counted.
#[derive(Clone, Debug, Serialize)]
pub struct Unsupported {
    /// The dialect.
    pub dialect: &'static str,
    /// The chip.
    pub chip: &'static str,
    /// The error.
    #[serde(rename = "why")]
    pub error: String,
}

impl Unsupported {
    fn new(router: &RouterSpec, error: &WearError) -> Self {
        Self { dialect: router.dialect.name(), chip: router.chip.name, error: error.to_string() }
    }
}

/// The name of a build: `good` or `broken`, for its clock.
pub fn build_name(build: Build) -> &'static str {
    match build {
        Build::Rtc => "good",
        Build::NoRtc => "broken",
    }
}

/// One workload with one build and one script.
pub(super) struct Task {
    pub(super) build: Build,
    pub(super) script: Script,
    /// `None`: the household.
    pub(super) workload: Option<Workload>,
}

impl Study {
    /// Counts all combinations on all cores. The rows are ordered by router, workload, build and script. Calls `on_row`
    /// with the number of rows after each.
    ///
    /// # Errors
    /// A scenario that cannot be run.
    pub fn run(&self, on_row: impl Fn(usize) + Sync) -> Result<Vec<RowResult>, CaseError> {
        let tasks = self.tasks()?;
        let number = tasks.len() * self.routers.len();
        let rows = self.routers.par_iter().flat_map(|router| {
            let cost_model = match CostModel::new(router) {
                Ok(cost_model) => cost_model,
                Err(error) => return vec![Err(Unsupported::new(router, &error.into()))],
            };
            tasks
                .par_iter()
                .map(|task| {
                    let row = self.row(&cost_model, router, task);
                    on_row(number);
                    row.map_err(|error| Unsupported::new(router, &error))
                })
                .collect()
        });
        Ok(rows.collect())
    }

    pub(super) fn tasks(&self) -> Result<Vec<Task>, CaseError> {
        let mut tasks: Vec<Task> = Vec::new();
        let mut add = |workload: Option<&Workload>, scripts: &[Script]| {
            let only = workload.and_then(|workload| workload.build);
            for build in only.map_or(self.builds.clone(), |build| vec![build]) {
                for script in scripts {
                    // Cases whose parameters make no difference here have the same calls.
                    let is_known = tasks.iter().any(|task| {
                        workload.is_some()
                            && (task.build, task.script) == (build, *script)
                            && task.workload.as_ref().map(|w| &w.events)
                                == workload.map(|w| &w.events)
                    });
                    if !is_known {
                        tasks.push(Task { build, script: *script, workload: workload.cloned() });
                    }
                }
            }
        };
        match &self.source {
            None => add(None, &self.scripts),
            Some(Source::Workloads(workloads)) => {
                for workload in workloads {
                    add(Some(workload), &self.scripts);
                }
            }
            Some(Source::Cases(cases)) => {
                for case in cases {
                    for script in &self.scripts {
                        let workload = scenario(case, *script)?;
                        if workload.has_calls() {
                            add(Some(&workload), &[*script]);
                        }
                    }
                }
            }
        }
        Ok(tasks)
    }

    fn row(
        &self,
        cost_model: &CostModel,
        router: &RouterSpec,
        task: &Task,
    ) -> Result<StudyRow, WearError> {
        let Task { build, script, workload } = task;
        let endurance = self.endurance.unwrap_or(router.chip.endurance);
        let HouseholdWear { wear, nvram_full } = self.count(cost_model, task)?;
        let limits = if self.limits && workload.is_none() {
            Some(find_limits(cost_model, self.household_run(*build), *script, endurance)?)
        } else {
            None
        };
        let every = workload.as_ref().map_or(wear.seconds, |workload| self.every(workload));
        Ok(StudyRow {
            workload: workload.as_ref().map(|workload| workload.label.clone()),
            every,
            rtc: build_name(*build),
            dialect: router.dialect.name(),
            chip: router.chip.name,
            script: script.name(),
            endurance,
            nvram_full,
            yearly: YearlyWear::of(&wear, endurance, every),
            wear,
            limits,
        })
    }

    fn count(&self, cost_model: &CostModel, task: &Task) -> Result<HouseholdWear, WearError> {
        let Task { build, script, workload } = task;
        let run = self.household_run(*build);
        let wear = match (workload, self.method) {
            (Some(workload), _) => count_workload(cost_model, workload, *build, *script)?,
            (None, Method::BuildImages(mode)) => count_images(cost_model, run, *script, mode)?.0,
            (None, Method::Execute) => count_executed(cost_model, run, *script)?,
            (None, Method::Count) => return count(cost_model, run, *script),
        };
        Ok(HouseholdWear { wear, nvram_full: false })
    }

    /// The household's time with a build.
    pub(super) fn household_run(&self, build: Build) -> HouseholdRun<'_> {
        let Self { ref household, seed, seconds, .. } = *self;
        HouseholdRun { household, build, seed, seconds }
    }

    /// Time after which a workload starts again, in seconds.
    pub(super) fn every(&self, workload: &Workload) -> u64 {
        self.every.unwrap_or(workload.seconds.max(DAY))
    }
}
