//! Runs a script in real processes and compares its counts with those of the in-process scripts.

use std::fmt::Write as _;

use serde::Serialize;

use super::cost_model::CostModel;
use super::count::{count, count_workload};
use super::error::WearError;
use super::executing_store::ExecutingStore;
use super::household_run::HouseholdRun;
use super::lease_store::SimulationError;
use super::router::RouterSpec;
use super::simulate::simulate;
use super::study::{Study, Task, TaskCalls, build_name};
use super::wear_counts::WearCounts;
use super::workload::play;
use super::yearly_wear::{YearlyWear, format_years};
use backend::process::{Process, ScriptCommand, Settings};
use runner::NamePattern;
use scenario::Seconds;

/// A script to run in real processes.
#[derive(Clone, Debug)]
pub struct CrossCheckSpec {
    /// The script.
    pub command: ScriptCommand,
    /// The name of the script in reports.
    pub label: String,
    /// The settings of the processes.
    pub settings: Settings,
    /// The NVRAM variables that belong to the script. All others are settings of other programs.
    pub owns: Vec<NamePattern>,
    /// Time to simulate for a household, in seconds. Recordings and scenarios run to their end.
    pub seconds: u64,
}

/// The counts of a script that ran in real processes, and the in-process counts of the same events.
#[derive(Clone, Debug, Serialize)]
pub struct CrossCheck {
    /// The name of the workload, or `None` for a household.
    pub workload: Option<String>,
    /// The build: `good` or `broken`.
    pub rtc: &'static str,
    /// The dialect.
    pub dialect: &'static str,
    /// The chip.
    pub chip: &'static str,
    /// The script.
    pub script: String,
    /// The counts of the real processes.
    pub wear: WearCounts,
    /// `wear` as yearly rates.
    #[serde(rename = "life")]
    pub yearly: YearlyWear,
    /// The in-process counts of the same events, for each script of the study.
    #[serde(rename = "counted")]
    pub in_process: Vec<InProcessCount>,
}

/// The in-process counts of one script.
#[derive(Clone, Debug, Serialize)]
pub struct InProcessCount {
    /// The script.
    pub script: String,
    /// The counts.
    pub wear: WearCounts,
    /// Whether all counts are equal to those of the real processes.
    pub equal: bool,
}

impl Study {
    /// Runs a script in real processes, and counts the same events in process with each script of the study.
    ///
    /// # Errors
    /// Returns an error if a scenario, a script or a machine cannot be run.
    pub fn cross_check(&self, spec: &CrossCheckSpec) -> Result<Vec<CrossCheck>, WearError> {
        let mut all = Vec::new();
        for router in &self.routers {
            let cost_model = CostModel::new(router)?;
            for task in
                self.tasks()?.iter().filter(|task| Some(&task.script) == self.scripts.first())
            {
                all.push(self.cross_check_task(spec, router, &cost_model, task)?);
            }
        }
        Ok(all)
    }

    fn cross_check_task(
        &self,
        spec: &CrossCheckSpec,
        router: &RouterSpec,
        cost_model: &CostModel,
        task: &Task<'_>,
    ) -> Result<CrossCheck, WearError> {
        let Task { build, ref calls, .. } = *task;
        let (seconds, every) = match calls {
            TaskCalls::Simulated(_) => (spec.seconds, spec.seconds),
            TaskCalls::Repeated { workload, every } => (workload.seconds, *every),
        };
        let mut backend = Process::new(cost_model.machine().clone(), &spec.command, &spec.settings)
            .map_err(SimulationError::from)?;
        let mut store =
            ExecutingStore::new(cost_model, &mut backend, seconds).owning(spec.owns.clone());
        let unserved = match calls {
            TaskCalls::Repeated { workload, .. } => {
                play(workload, build, &mut store)?;
                0
            }
            TaskCalls::Simulated(simulation) => {
                simulate(HouseholdRun { seconds, ..simulation.run(build) }, &mut store)?
            }
        };
        let wear = WearCounts { unserved, ..store.finish()? };
        let mut in_process = Vec::new();
        for script in &self.scripts {
            let other = match calls {
                TaskCalls::Repeated { workload, .. } => {
                    count_workload(cost_model, workload, build, *script)?
                }
                TaskCalls::Simulated(simulation) => {
                    let run = HouseholdRun { seconds, ..simulation.run(build) };
                    count(cost_model, run, *script)?.wear
                }
            };
            let equal = other == wear;
            in_process.push(InProcessCount { script: script.name(), equal, wear: other });
        }
        let endurance = self.endurance.unwrap_or(router.chip.endurance);
        Ok(CrossCheck {
            workload: calls.label(),
            rtc: build_name(build),
            dialect: router.dialect.name(),
            chip: router.chip.name,
            script: spec.label.clone(),
            yearly: YearlyWear::of(&wear, endurance, every),
            wear,
            in_process,
        })
    }
}

/// Returns the comparison as text.
pub fn cross_check_table(cross_checks: &[CrossCheck]) -> String {
    let mut out = String::from("\nrun by processes, and the same events counted in process\n");
    let _ = writeln!(
        out,
        "{:<6} {:<26} {:>8} {:>7} {:>9} {:>8} {:>8} {:>12} {:>10}",
        "rtc", "script", "calls", "failed", "nvram", "commits", "erases", "bytes", "life"
    );
    let line = |out: &mut String, rtc: &str, script: &str, wear: &WearCounts, last: &str| {
        let erases = wear.total_erases();
        let _ = writeln!(
            out,
            "{rtc:<6} {script:<26} {:>8} {:>7} {:>9} {:>8} {erases:>8} {:>12} {last:>10}",
            wear.calls, wear.failed, wear.commands, wear.commits, wear.programmed
        );
    };
    for check in cross_checks {
        let workload = check.workload.as_deref().unwrap_or("household");
        let _ = writeln!(
            out,
            "{workload} on {} with {}: {}",
            check.dialect,
            check.chip,
            Seconds(check.wear.seconds)
        );
        let life = format_years(check.yearly.years);
        line(&mut out, check.rtc, &check.script, &check.wear, &life);
        for counts in &check.in_process {
            let verdict = if counts.equal { "equal" } else { "differs" };
            line(&mut out, "", &format!("in process: {}", counts.script), &counts.wear, verdict);
        }
    }
    out
}
