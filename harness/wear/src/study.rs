//! Routers, builds and scripts, all under the same household.

use rayon::prelude::*;
use serde::Serialize;

use super::cost_model::{CostModel, NotPriced};
use super::counting_store::CountingStore;
use super::fan_out::FanOut;
use super::household::{DAY, Household};
use super::images::{ImageMode, Images};
use super::life::Life;
use super::limits::{Limits, limits};
use super::rendered::Rendered;
use super::router::{RouterSpec, Script};
use super::simulate::{Broken, addresses, live};
use super::sources::{Source, scenario};
use super::tally::Wear;
use super::workload::play;
use backend::InProcess;
use dnsmasq_model::Build;
use runner::Fault;
use trace::Workload;

/// What is to be found out.
#[derive(Clone, Debug)]
pub struct Study {
    /// Who lives there.
    pub household: Household,
    /// What happens instead, where that is no household.
    pub source: Option<Source>,
    /// How often that happens again, seconds; none: as long as it lasts, once a day at most.
    pub every: Option<u64>,
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
    /// Whether the flash image of every commit is built, and how.
    pub images: Option<ImageMode>,
}

/// One router with one build and one script.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What happened, where that is no household.
    pub workload: Option<String>,
    /// After how many seconds it all happens again.
    pub every: u64,
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
pub type Entry = Result<Row, Unsupported>;

/// A combination that cannot be counted.
#[derive(Clone, Debug, Serialize)]
pub struct Unsupported {
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

/// Counts a household on one router. Where there is ever more to store than fits, every call is carried out instead
/// ([`count_rendered`]), for only the tools know what becomes of it; then the second is true.
///
/// # Errors
/// A life that ends early, or a script that fails.
pub fn count(
    cost_model: &CostModel,
    household: &Household,
    build: Build,
    script: Script,
    seed: u64,
    seconds: u64,
) -> Result<(Wear, bool), WearError> {
    let counted = count_each(cost_model, household, build, &[script], seed, seconds)?;
    counted.into_iter().next().ok_or_else(|| NotPriced::because("no script to count").into())
}

/// Counts a household with several scripts. Those that store the same live the same life, which is gone through once.
///
/// # Errors
/// As [`count`].
pub fn count_each(
    cost_model: &CostModel,
    household: &Household,
    build: Build,
    scripts: &[Script],
    seed: u64,
    seconds: u64,
) -> Result<Vec<(Wear, bool)>, WearError> {
    let (first, number) = addresses(household);
    let mut counted: Vec<Option<(Wear, bool)>> = scripts.iter().map(|_| None).collect();
    while let Some(next) = counted.iter().position(Option::is_none) {
        let alike =
            |at: &usize| counted[*at].is_none() && scripts[*at].stores_like(scripts[next], build);
        let group: Vec<usize> = (next..scripts.len()).filter(alike).collect();
        let counting_store = |at: &usize| {
            CountingStore::new(cost_model, scripts[*at], build, seconds, first, number)
        };
        let mut fan_out = FanOut(group.iter().map(counting_store).collect::<Result<_, _>>()?);
        match &mut fan_out.0[..] {
            // Quicker than a fan_out of one.
            [only] => live(household, build, seed, seconds, only)?,
            _ => live(household, build, seed, seconds, &mut fan_out)?,
        }
        for (at, counting_store) in group.into_iter().zip(fan_out.0) {
            counted[at] = Some(if counting_store.is_full() {
                let wear =
                    count_rendered(cost_model, household, build, scripts[at], seed, seconds)?;
                (wear, true)
            } else {
                (counting_store.finish(), false)
            });
        }
    }
    Ok(counted.into_iter().flatten().collect())
}

/// Counts as if the NVRAM were large enough; whether it is not.
pub(super) fn count_unlimited(
    cost_model: &CostModel,
    household: &Household,
    build: Build,
    script: Script,
    seed: u64,
    seconds: u64,
) -> Result<(Wear, bool), WearError> {
    let (first, number) = addresses(household);
    let mut counting_store = CountingStore::new(cost_model, script, build, seconds, first, number)?;
    live(household, build, seed, seconds, &mut counting_store)?;
    let full = counting_store.is_full();
    Ok((counting_store.finish(), full))
}

/// Counts a household and builds the image of every commit.
///
/// # Errors
/// As [`count`]; a dialect whose images are not modelled, an NVRAM that is full.
pub fn count_images(
    cost_model: &CostModel,
    household: &Household,
    build: Build,
    script: Script,
    (seed, seconds): (u64, u64),
    mode: ImageMode,
) -> Result<(Wear, Images), WearError> {
    let (first, number) = addresses(household);
    let counting_store = CountingStore::new(cost_model, script, build, seconds, first, number)?;
    let mut counting_store = counting_store.with_images(Images::new(cost_model, mode)?);
    live(household, build, seed, seconds, &mut counting_store)?;
    if counting_store.is_full() {
        return Err(NotPriced::because("the NVRAM is full: count without --images").into());
    }
    let images = counting_store.take_images();
    Ok((counting_store.finish(), images?))
}

/// The same with every call put into words, and every command run on a machine in memory.
///
/// # Errors
/// As [`count`], and where a call fails: the NVRAM is full.
pub fn count_rendered(
    cost_model: &CostModel,
    household: &Household,
    build: Build,
    script: Script,
    seed: u64,
    seconds: u64,
) -> Result<Wear, WearError> {
    let mut target = InProcess::new(cost_model.machine().clone(), script.function());
    let mut store = Rendered::new(cost_model, &mut target, seconds);
    live(household, build, seed, seconds, &mut store)?;
    Ok(store.finish()?)
}

/// Why a household cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum WearError {
    /// On this router.
    #[error(transparent)]
    Router(#[from] NotPriced),
    /// Not to its end.
    #[error(transparent)]
    Life(#[from] Broken),
    /// A scenario that cannot be run.
    #[error(transparent)]
    Scenario(#[from] Fault),
}

/// Counts a list of events, every call put into words.
///
/// # Errors
/// As [`count_rendered`].
pub fn count_workload(
    cost_model: &CostModel,
    workload: &Workload,
    build: Build,
    script: Script,
) -> Result<Wear, WearError> {
    let mut target = InProcess::new(cost_model.machine().clone(), script.function());
    let mut store = Rendered::new(cost_model, &mut target, workload.seconds);
    play(workload, build, &mut store)?;
    Ok(store.finish()?)
}

/// One thing to count.
pub(super) struct Task {
    pub(super) build: Build,
    pub(super) script: Script,
    /// None: the household.
    pub(super) workload: Option<Workload>,
}

impl Study {
    /// Counts everything, on all cores, in the order of routers, workloads, builds, scripts.
    ///
    /// # Errors
    /// A scenario that cannot be run.
    pub fn run(&self) -> Result<Vec<Entry>, Fault> {
        let nothing = |spec: &RouterSpec, why: String| Unsupported {
            dialect: spec.dialect.name(),
            chip: spec.chip.name,
            why,
        };
        let tasks = self.tasks()?;
        let rows = self.routers.par_iter().flat_map(|spec| {
            let cost_model = match CostModel::new(spec) {
                Ok(cost_model) => cost_model,
                Err(error) => return vec![Err(nothing(spec, error.to_string()))],
            };
            tasks
                .par_iter()
                .map(|task| {
                    self.row(&cost_model, spec, task)
                        .map_err(|error| nothing(spec, error.to_string()))
                })
                .collect()
        });
        Ok(rows.collect())
    }

    pub(super) fn tasks(&self) -> Result<Vec<Task>, Fault> {
        let mut tasks: Vec<Task> = Vec::new();
        let mut add = |workload: Option<&Workload>, scripts: &[Script]| {
            let only = workload.and_then(|workload| workload.build);
            for build in only.map_or(self.builds.clone(), |build| vec![build]) {
                for script in scripts {
                    // Parameters of a scenario that are no matter here lead to the same calls.
                    let again = tasks.iter().any(|task| {
                        workload.is_some()
                            && (task.build, task.script) == (build, *script)
                            && task.workload.as_ref().map(|w| &w.events)
                                == workload.map(|w| &w.events)
                    });
                    if !again {
                        tasks.push(Task { build, script: *script, workload: workload.cloned() });
                    }
                }
            }
        };
        match &self.source {
            None => add(None, &self.scripts),
            Some(Source::Lists(lists)) => {
                for list in lists {
                    add(Some(list), &self.scripts);
                }
            }
            Some(Source::Cases(cases)) => {
                for case in cases {
                    for script in &self.scripts {
                        let list = scenario(case, *script)?;
                        if list.has_calls() {
                            add(Some(&list), &[*script]);
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
        spec: &RouterSpec,
        task: &Task,
    ) -> Result<Row, WearError> {
        let Self { household, seed, seconds, .. } = self;
        let Task { build, script, workload } = task;
        let endurance = self.endurance.unwrap_or(spec.chip.endurance);
        let (wear, full) = match workload {
            Some(workload) => (count_workload(cost_model, workload, *build, *script)?, false),
            None if self.images.is_some() => {
                let mode = self.images.unwrap_or(ImageMode::Full);
                let times = (*seed, *seconds);
                (count_images(cost_model, household, *build, *script, times, mode)?.0, false)
            }
            None if self.rendered => {
                (count_rendered(cost_model, household, *build, *script, *seed, *seconds)?, false)
            }
            None => count(cost_model, household, *build, *script, *seed, *seconds)?,
        };
        let limits = if self.limits && workload.is_none() {
            Some(limits(cost_model, household, *build, *script, *seed, endurance)?)
        } else {
            None
        };
        let every = workload.as_ref().map_or(wear.seconds, |workload| self.every(workload));
        Ok(Row {
            workload: workload.as_ref().map(|workload| workload.label.clone()),
            every,
            rtc: build_name(*build),
            dialect: spec.dialect.name(),
            chip: spec.chip.name,
            script: script.name(),
            endurance,
            full,
            life: Life::of(&wear, endurance, every),
            wear,
            limits,
        })
    }

    /// After how many seconds a workload happens again.
    pub(super) fn every(&self, workload: &Workload) -> u64 {
        self.every.unwrap_or(workload.seconds.max(DAY))
    }
}
