//! Counts the same workloads on several routers, builds and scripts.

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

/// The workloads, builds, routers and scripts to count.
#[derive(Clone, Debug)]
pub struct Study {
    /// The calls of the scripts.
    pub calls: Calls,
    /// Builds of dnsmasq.
    pub builds: Vec<Build>,
    /// Routers.
    pub routers: Vec<RouterSpec>,
    /// The name of the router if it is a well-known one.
    pub model: Option<String>,
    /// Scripts.
    pub scripts: Vec<Script>,
    /// Erase cycles that a block endures. Defaults to the chip's rating.
    pub endurance: Option<u32>,
}

/// The source of the calls.
#[derive(Clone, Debug)]
pub enum Calls {
    /// A simulated household.
    Simulated(Simulation),
    /// Recordings or scenarios.
    Repeated {
        /// The recordings or scenarios.
        source: Source,
        /// Time after which a workload starts again, in seconds. Defaults to its length, but at least a day.
        every: Option<u64>,
    },
}

/// A household to simulate.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The household.
    pub household: Household,
    /// Seed of its random events.
    pub seed: u64,
    /// Time to simulate, in seconds.
    pub seconds: u64,
    /// The method of counting.
    pub method: Method,
    /// Whether to find the number of clients and the lease time at which the flash lasts less than 10 and 5 years.
    pub limits: bool,
}

impl Simulation {
    /// Returns the run of the household with a build.
    pub(super) fn run(&self, build: Build) -> HouseholdRun<'_> {
        let Self { ref household, seed, seconds, .. } = *self;
        HouseholdRun { household, build, seed, seconds }
    }
}

/// The method of counting a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Counts events without executing calls.
    Count,
    /// Counts events and builds the flash image of every commit.
    BuildImages(ImageMode),
    /// Executes every call on a machine in memory.
    Execute,
}

/// The counts of one workload, router, build and script.
#[derive(Clone, Debug, Serialize)]
pub struct StudyRow {
    /// The name of the workload, or `None` for a household.
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
    /// `wear` as yearly rates.
    #[serde(rename = "life")]
    pub yearly: YearlyWear,
    /// The counts.
    pub wear: WearCounts,
    /// The limits, if [`Simulation::limits`] is set.
    pub limits: Option<Limits>,
}

/// A row, or the reason why it could not be counted.
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

/// Returns the name of a build, after its clock: `good` or `broken`.
pub fn build_name(build: Build) -> &'static str {
    match build {
        Build::Rtc => "good",
        Build::NoRtc => "broken",
    }
}

/// One workload with one build and one script.
pub(super) struct Task<'a> {
    pub(super) build: Build,
    pub(super) script: Script,
    pub(super) calls: TaskCalls<'a>,
}

/// The calls of a task.
pub(super) enum TaskCalls<'a> {
    Simulated(&'a Simulation),
    Repeated {
        workload: Box<Workload>,
        /// Time after which the workload starts again, in seconds.
        every: u64,
    },
}

impl TaskCalls<'_> {
    /// Returns the name of the workload, or `None` for a household.
    pub(super) fn label(&self) -> Option<String> {
        match self {
            Self::Simulated(_) => None,
            Self::Repeated { workload, .. } => Some(workload.label.clone()),
        }
    }

    /// Returns whether the task repeats the events of `other`.
    fn repeats(&self, other: &Workload) -> bool {
        matches!(self, Self::Repeated { workload, .. } if workload.events == other.events)
    }
}

impl Study {
    /// Counts all combinations on all cores. The rows are ordered by router, workload, build and script. Calls `on_row`
    /// after each row, with the total number of rows.
    ///
    /// # Errors
    /// Returns an error if a scenario cannot be run.
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

    pub(super) fn tasks(&self) -> Result<Vec<Task<'_>>, CaseError> {
        let mut tasks: Vec<Task<'_>> = Vec::new();
        match &self.calls {
            Calls::Simulated(simulation) => {
                for build in &self.builds {
                    for script in &self.scripts {
                        let calls = TaskCalls::Simulated(simulation);
                        tasks.push(Task { build: *build, script: *script, calls });
                    }
                }
            }
            Calls::Repeated { source: Source::Workloads(workloads), every } => {
                for workload in workloads {
                    self.add(&mut tasks, workload, *every, &self.scripts);
                }
            }
            Calls::Repeated { source: Source::Cases(cases), every } => {
                for case in cases {
                    for script in &self.scripts {
                        let workload = scenario(case, *script)?;
                        if workload.has_calls() {
                            self.add(&mut tasks, &workload, *every, &[*script]);
                        }
                    }
                }
            }
        }
        Ok(tasks)
    }

    /// Adds a task for each build of a workload and each of these scripts.
    fn add(
        &self,
        tasks: &mut Vec<Task<'_>>,
        workload: &Workload,
        every: Option<u64>,
        scripts: &[Script],
    ) {
        let every = every.unwrap_or(workload.seconds.max(DAY));
        for build in workload.build.map_or(self.builds.clone(), |build| vec![build]) {
            for script in scripts {
                // Cases that differ only in parameters without an effect on the calls are counted once.
                let is_known = tasks.iter().any(|task| {
                    (task.build, task.script) == (build, *script) && task.calls.repeats(workload)
                });
                if !is_known {
                    let calls = TaskCalls::Repeated { workload: Box::new(workload.clone()), every };
                    tasks.push(Task { build, script: *script, calls });
                }
            }
        }
    }

    fn row(
        &self,
        cost_model: &CostModel,
        router: &RouterSpec,
        task: &Task<'_>,
    ) -> Result<StudyRow, WearError> {
        let Task { build, script, ref calls } = *task;
        let endurance = self.endurance.unwrap_or(router.chip.endurance);
        let HouseholdWear { wear, nvram_full } = count_task(cost_model, task)?;
        let limits = match calls {
            TaskCalls::Simulated(simulation) if simulation.limits => {
                Some(find_limits(cost_model, simulation.run(build), script, endurance)?)
            }
            _ => None,
        };
        let every = match calls {
            TaskCalls::Simulated(_) => wear.seconds,
            TaskCalls::Repeated { every, .. } => *every,
        };
        Ok(StudyRow {
            workload: calls.label(),
            every,
            rtc: build_name(build),
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
}

fn count_task(cost_model: &CostModel, task: &Task<'_>) -> Result<HouseholdWear, WearError> {
    let Task { build, script, ref calls } = *task;
    let wear = match calls {
        TaskCalls::Repeated { workload, .. } => {
            count_workload(cost_model, workload, build, script)?
        }
        TaskCalls::Simulated(simulation) => {
            let run = simulation.run(build);
            match simulation.method {
                Method::Count => return count(cost_model, run, script),
                Method::BuildImages(mode) => count_images(cost_model, run, script, mode)?.0,
                Method::Execute => count_executed(cost_model, run, script)?,
            }
        }
    };
    Ok(HouseholdWear { wear, nvram_full: false })
}
