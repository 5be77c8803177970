//! One household, tried.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use nvram_emu::Machine;

use super::household::unplaced;
use backend::Function;
use runner::lenient_log::{LenientLog, StepOutcome};
use runner::{
    Fault, FillCache, Finding, FindingKind, InitCalls, Options, ScriptChoice, Tally, TargetKind,
    router, router_from, try_out,
};
use scenario::diagnostics::Source;
use scenario::{Action, Case, Router, Scenario, Step};

/// Who is tried: a function in place of the household's own script, or whatever the options say.
#[derive(Clone, Debug)]
pub struct Subject {
    function: Option<Function>,
    options: Options,
    routers: Arc<Mutex<Routers>>,
}

/// Routers as they are before their first boot, by their description.
#[derive(Debug, Default)]
struct Routers {
    whole: HashMap<String, Machine>,
    /// On the way there, by all of the description but how full they get.
    shelves: HashMap<String, FillCache>,
}

impl Subject {
    /// A script as a function.
    pub fn function(function: Function) -> Self {
        Self { function: Some(function), ..Self::in_process() }
    }

    /// The project's own scripts, as functions.
    pub fn in_process() -> Self {
        Self::with(Options {
            target: TargetKind::InProcess,
            script: ScriptChoice::default(),
            seed: 0,
            log: false,
            init_calls: InitCalls::default(),
        })
    }

    /// As these options say.
    pub fn with(options: Options) -> Self {
        Self { function: None, options, routers: Arc::default() }
    }

    /// The same, with or without a line for each script call.
    #[must_use]
    pub fn logging(mut self, log: bool) -> Self {
        self.options.log = log;
        self
    }

    /// Whether it is run by real processes.
    pub fn is_slow(&self) -> bool {
        !matches!(self.options.target, TargetKind::InProcess)
    }

    /// Plays a household up to its first failure.
    ///
    /// # Errors
    /// A household that makes no sense, or a target that fails.
    pub fn try_out(&self, scenario: Scenario) -> Result<Trial, Fault> {
        let case = case(scenario);
        let mut lenient_log = LenientLog::default();
        let machine = self.router(&case)?;
        let report =
            try_out(&case, machine, self.function.as_ref(), &self.options, Some(&mut lenient_log))?;
        let findings = report.failures;
        Ok(Trial {
            scenario: case.scenario,
            lenient_log,
            findings,
            total: report.total,
            log: report.log,
        })
    }

    /// Plays a case of a file as `leaselab run` does; what failed.
    ///
    /// # Errors
    /// As [`Self::try_out`].
    pub fn judge(&self, case: &Case) -> Result<Vec<Finding>, Fault> {
        let machine = router(case)?;
        Ok(try_out(case, machine, self.function.as_ref(), &self.options, None)?.failures)
    }

    /// To fill a store costs more than to play a household on it.
    fn router(&self, case: &Case) -> Result<Machine, Fault> {
        let Router { dialect, space, erase, neighbours, free, variables, .. } =
            &case.scenario.router;
        let kind =
            format!("{} {space} {erase} {} {variables:?}", dialect.get_ref(), free.is_some());
        let key = format!("{kind} {neighbours} {free:?}");
        let known = || self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = known().whole.get(&key) {
            return Ok(machine.clone());
        }
        let mut shelf = known().shelves.remove(&kind).unwrap_or_default();
        let machine = router_from(case, &mut shelf)?;
        known().shelves.insert(kind, shelf);
        known().whole.insert(key, machine.clone());
        Ok(machine)
    }
}

/// A case that stands in no file.
fn case(scenario: Scenario) -> Case {
    let source: Arc<Source> = Source::new(Path::new("household.toml"), String::new());
    Case { source, parameters: std::collections::BTreeMap::default(), scenario }
}

/// What became of a household.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The household.
    pub scenario: Scenario,
    /// What failed; nothing was done after it.
    pub findings: Vec<Finding>,
    /// What it cost.
    pub total: Tally,
    /// One line for each script call, where they were asked for.
    pub log: Vec<String>,
    pub(super) lenient_log: LenientLog,
}

impl Trial {
    /// The first failure.
    pub fn failure(&self) -> Option<(FindingKind, &Finding)> {
        self.findings.first().map(|finding| (finding.kind, finding))
    }

    /// The steps that were gone through, and what was done in each.
    pub(super) fn done(&self) -> impl Iterator<Item = (&Step, StepOutcome)> {
        let steps = self.scenario.steps.iter().map(toml::Spanned::get_ref);
        steps.zip(self.lenient_log.steps.iter().copied()).filter(|(_, done)| !done.skipped)
    }

    /// How many events were gone through.
    pub fn events(&self) -> u64 {
        self.done().count() as u64
    }

    /// The same household without what was left out, came to nothing, or lies behind the failure: played strictly,
    /// it does the same.
    pub fn straightened(&self) -> Scenario {
        let mut steps = Vec::new();
        for (step, done) in self.done() {
            if done.power_cut_first {
                steps.push(Step::new(Action::PowerCut));
            }
            let mut step = step.clone();
            if !done.fault_struck {
                step.disturbance = None;
            }
            steps.push(step);
        }
        let steps = steps.into_iter().map(unplaced).collect();
        Scenario { steps, ..self.scenario.clone() }
    }
}
