//! The script under test.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use nvram_emu::Machine;

use super::trial::Trial;
use backend::Function;
use runner::lenient_log::LenientLog;
use runner::{
    CaseError, FillCache, Finding, GatePolicy, InitCalls, Options, ScriptChoice, ScriptExecution,
    router, router_from, run_on_machine,
};
use scenario::{Case, Router, Scenario};

/// The script under test: a function instead of the household's own script, or the script that the options name.
#[derive(Clone, Debug)]
pub struct Subject {
    function: Option<Function>,
    options: Options,
    routers: Arc<Mutex<Routers>>,
}

/// Routers before their first boot. Filling a store costs more than playing a household on it.
#[derive(Debug, Default)]
struct Routers {
    /// By the whole description of the router.
    ready: HashMap<String, Machine>,
    /// By the description without the fill level.
    fill_caches: HashMap<String, FillCache>,
}

impl Subject {
    /// A script that is a function.
    pub fn function(function: Function) -> Self {
        Self { function: Some(function), ..Self::in_process() }
    }

    /// The project's own script that the household names, in process.
    pub fn in_process() -> Self {
        Self::with(Options {
            execution: ScriptExecution::InProcess,
            script: ScriptChoice::default(),
            seed: 0,
            log: false,
            init_calls: InitCalls::default(),
            gate: GatePolicy::strict(),
        })
    }

    /// The script and back end of these options.
    pub fn with(options: Options) -> Self {
        Self { function: None, options, routers: Arc::default() }
    }

    /// Sets whether trials log a line for each script call.
    #[must_use]
    pub fn logging(mut self, log: bool) -> Self {
        self.options.log = log;
        self
    }

    /// Sets which findings make a household fail.
    #[must_use]
    pub fn denying(mut self, gate: GatePolicy) -> Self {
        self.options.gate = gate;
        self
    }

    /// Whether the script runs in real processes.
    pub fn is_slow(&self) -> bool {
        !matches!(self.options.execution, ScriptExecution::InProcess)
    }

    /// Plays a household leniently, up to its first failure.
    ///
    /// # Errors
    /// The household is invalid, or the back end fails.
    pub fn play_leniently(&self, scenario: Scenario) -> Result<Trial, CaseError> {
        let case = Case::without_file(Path::new("household.toml"), scenario);
        let mut lenient_log = LenientLog::default();
        let machine = self.router(&case)?;
        let report = run_on_machine(
            &case,
            machine,
            self.function.as_ref(),
            &self.options,
            Some(&mut lenient_log),
        )?;
        let gate = &self.options.gate;
        let (findings, allowed) = report
            .failures
            .into_iter()
            .partition(|finding| gate.denies(finding.severity, finding.group));
        Ok(Trial {
            allowed,
            scenario: case.scenario,
            lenient_log,
            findings,
            total: report.total,
            log: report.log,
        })
    }

    /// Plays a case of a file as `leaselab run` does. Returns what failed.
    ///
    /// # Errors
    /// See [`Self::play_leniently`].
    pub fn judge(&self, case: &Case) -> Result<Vec<Finding>, CaseError> {
        let machine = router(case)?;
        let gate = &self.options.gate;
        let mut failures =
            run_on_machine(case, machine, self.function.as_ref(), &self.options, None)?.failures;
        failures.retain(|finding| gate.denies(finding.severity, finding.group));
        Ok(failures)
    }

    /// The router of a case before its first boot.
    fn router(&self, case: &Case) -> Result<Machine, CaseError> {
        let Router { dialect, space, erase, neighbours, free, variables, .. } =
            &case.scenario.router;
        let kind =
            format!("{} {space} {erase} {} {variables:?}", dialect.get_ref(), free.is_some());
        let key = format!("{kind} {neighbours} {free:?}");
        let routers = || self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = routers().ready.get(&key) {
            return Ok(machine.clone());
        }
        let mut fill_cache = routers().fill_caches.remove(&kind).unwrap_or_default();
        let machine = router_from(case, &mut fill_cache)?;
        routers().fill_caches.insert(kind, fill_cache);
        routers().ready.insert(key, machine.clone());
        Ok(machine)
    }
}
