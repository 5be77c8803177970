//! The report of one case.

use std::time::Duration;

use nvram_emu::Machine;

use super::case_error::CaseError;
use super::finding::Finding;
use super::gate_policy::GatePolicy;
use super::history::History;
use super::owned_variables::OwnedVariables;
use super::script::{ScriptChoice, place_script_error};
use super::tally::Tally;
use backend::{BackendError, RouterFiles};
use scenario::Case;
use scenario::diagnostics::SourceError;

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No finding makes the case fail. There may be findings that are less serious.
    Passed,
    /// At least one finding makes the case fail.
    Failed,
    /// The file asks for something that cannot be carried out in this case, at this place.
    Invalid(SourceError),
    /// The case cannot be run with these options; the text says why.
    Skipped(String),
}

/// The result of a case.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The file's name, with the values of its parameters.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The findings that the scenario does not expect, with those that do not make the case fail.
    pub failures: Vec<Finding>,
    /// The findings that the scenario lists under `[[breaks]]`.
    pub expected_violations: Vec<Finding>,
    /// Script calls, `nvram` commands and flash operations of the whole case.
    pub total: Tally,
    /// The NVRAM variables that belong to the script, with those that it added.
    pub owned: OwnedVariables,
    /// One line for each script call, if the options ask for them.
    pub log: Vec<String>,
    /// What happened in a case that failed.
    pub history: History,
    /// Why the script saw the machine's clock instead of the router's, if it did.
    pub machine_clock: Option<String>,
    /// The router at the end of a case that failed.
    pub machine: Option<Machine>,
    /// The files of the router, besides its flash, at the end of a case that failed.
    pub files: RouterFiles,
    /// What the real dnsmasq of a case that failed has printed.
    pub daemon_log: Vec<u8>,
    /// Wall-clock time.
    pub took: Duration,
}

impl CaseReport {
    /// Takes note of how playing the case ended: an error with a place in the file is the verdict of the case.
    ///
    /// # Errors
    /// Every other error.
    pub fn conclude(
        &mut self,
        case: &Case,
        script: &ScriptChoice,
        gate: &GatePolicy,
        played: Result<(), CaseError>,
    ) -> Result<(), BackendError> {
        match played.map_err(|fault| place_script_error(case, script, fault)) {
            Ok(()) if gate.passes(&self.failures) => {}
            Ok(()) => self.verdict = Verdict::Failed,
            Err(CaseError::Source(error)) => self.verdict = Verdict::Invalid(error),
            Err(CaseError::Backend(error)) => return Err(error),
        }
        Ok(())
    }
}

/// The report of a case that has not run yet.
pub fn blank_report(case: &Case) -> CaseReport {
    CaseReport {
        name: case.name(),
        verdict: Verdict::Passed,
        failures: Vec::new(),
        expected_violations: Vec::new(),
        total: Tally::default(),
        owned: OwnedVariables::default(),
        log: Vec::new(),
        history: History::default(),
        machine_clock: None,
        machine: None,
        files: RouterFiles::default(),
        daemon_log: Vec::new(),
        took: Duration::ZERO,
    }
}
