//! A script through real processes for a while, held against the count in process.

use std::fmt::Write as _;

use serde::Serialize;

use super::cost_model::CostModel;
use super::life::Life;
use super::rendered::Rendered;
use super::router::RouterSpec;
use super::simulate::live;
use super::study::{Study, Task, WearError, build_name, count, count_workload};
use super::table::years;
use super::tally::Wear;
use super::workload::play;
use backend::process::{Process, ScriptCommand, Settings};
use scenario::Seconds;

/// A script, and how long it is tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The script.
    pub command: ScriptCommand,
    /// What to call it.
    pub label: String,
    /// The processes around it.
    pub settings: Settings,
    /// How much of a household's life, seconds; recordings and scenarios are gone through whole.
    pub seconds: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct CrossCheck {
    /// What happened, where that is no household.
    pub workload: Option<String>,
    /// `good` or `broken`.
    pub rtc: &'static str,
    /// The dialect.
    pub dialect: &'static str,
    /// The chip.
    pub chip: &'static str,
    /// The script.
    pub script: String,
    /// Counted by processes.
    pub wear: Wear,
    /// As rates and years.
    pub life: Life,
    /// Counted in process over the same events, for each script that there is as a function.
    pub counted: Vec<Counted>,
}

/// A count in process.
#[derive(Clone, Debug, Serialize)]
pub struct Counted {
    /// The script.
    pub script: String,
    /// Its counts.
    pub wear: Wear,
    /// Whether every count is that of the processes.
    pub equal: bool,
}

impl Study {
    /// Runs a script through processes, and counts the same events in process.
    ///
    /// # Errors
    /// A scenario, a script or a machine that cannot be run.
    pub fn hold(&self, trial: &Trial) -> Result<Vec<CrossCheck>, WearError> {
        let mut all = Vec::new();
        for spec in &self.routers {
            let cost_model = CostModel::new(spec)?;
            for task in
                self.tasks()?.iter().filter(|task| Some(&task.script) == self.scripts.first())
            {
                all.push(self.hold_one(trial, spec, &cost_model, task)?);
            }
        }
        Ok(all)
    }

    fn hold_one(
        &self,
        trial: &Trial,
        spec: &RouterSpec,
        cost_model: &CostModel,
        task: &Task,
    ) -> Result<CrossCheck, WearError> {
        let Task { build, workload, .. } = task;
        let seconds = workload.as_ref().map_or(trial.seconds, |workload| workload.seconds);
        let mut target =
            Process::new(cost_model.machine().clone(), &trial.command, &trial.settings)
                .map_err(super::Broken::from)?;
        let mut store = Rendered::new(cost_model, &mut target, seconds);
        match workload {
            Some(workload) => play(workload, *build, &mut store)?,
            None => live(&self.household, *build, self.seed, seconds, &mut store)?,
        }
        let wear = store.finish()?;
        let mut counted = Vec::new();
        for script in &self.scripts {
            let other = match workload {
                Some(workload) => count_workload(cost_model, workload, *build, *script)?,
                None => count(cost_model, &self.household, *build, *script, self.seed, seconds)?.0,
            };
            counted.push(Counted { script: script.name(), equal: other == wear, wear: other });
        }
        let every = workload.as_ref().map_or(seconds, |workload| self.every(workload));
        Ok(CrossCheck {
            workload: workload.as_ref().map(|workload| workload.label.clone()),
            rtc: build_name(*build),
            dialect: spec.dialect.name(),
            chip: spec.chip.name,
            script: trial.label.clone(),
            life: Life::of(&wear, self.endurance.unwrap_or(spec.chip.endurance), every),
            wear,
            counted,
        })
    }
}

/// For people.
pub fn cross_check_table(held: &[CrossCheck]) -> String {
    let mut out = String::from("\nthrough processes, and the same events counted in process\n");
    let _ = writeln!(
        out,
        "{:<6} {:<26} {:>8} {:>7} {:>9} {:>8} {:>8} {:>12} {:>10}",
        "rtc", "script", "calls", "failed", "nvram", "commits", "erases", "bytes", "life"
    );
    let line = |out: &mut String, rtc: &str, script: &str, wear: &Wear, end: &str| {
        let erases = wear.erases.iter().sum::<u64>();
        let _ = writeln!(
            out,
            "{rtc:<6} {script:<26} {:>8} {:>7} {:>9} {:>8} {erases:>8} {:>12} {end:>10}",
            wear.calls, wear.failed, wear.commands, wear.commits, wear.programmed
        );
    };
    for held in held {
        let what = held.workload.as_deref().unwrap_or("household");
        let _ = writeln!(
            out,
            "{what} on {} with {}: {}",
            held.dialect,
            held.chip,
            Seconds(held.wear.seconds)
        );
        line(&mut out, held.rtc, &held.script, &held.wear, &years(held.life.years));
        for counted in &held.counted {
            let verdict = if counted.equal { "equal" } else { "differs" };
            line(&mut out, "", &format!("in process: {}", counted.script), &counted.wear, verdict);
        }
    }
    out
}
