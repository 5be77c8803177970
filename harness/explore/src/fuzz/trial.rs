//! The result of playing one household.

use runner::lenient_log::{LenientLog, StepOutcome};
use runner::{Finding, FindingKind, Tally};
use scenario::{Action, Scenario, Step, unspanned};

/// The result of playing one household.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The household.
    pub scenario: Scenario,
    /// The first failures. The trial ends with the step in which they occur.
    pub findings: Vec<Finding>,
    /// Findings that do not make the trial fail.
    pub allowed: Vec<Finding>,
    /// Script calls and flash operations.
    pub total: Tally,
    /// One line for each script call; empty unless logging.
    pub log: Vec<String>,
    pub(super) lenient_log: LenientLog,
}

impl Trial {
    /// The first failure.
    pub fn failure(&self) -> Option<(FindingKind, &Finding)> {
        self.findings.first().map(|finding| (finding.kind, finding))
    }

    /// The steps that were not skipped, with their outcomes.
    pub(super) fn executed_steps(&self) -> impl Iterator<Item = (&Step, StepOutcome)> {
        let steps = self.scenario.steps.iter().map(toml::Spanned::get_ref);
        steps.zip(self.lenient_log.steps.iter().copied()).filter(|(_, outcome)| !outcome.skipped)
    }

    /// The number of events that were executed.
    pub fn events(&self) -> u64 {
        self.executed_steps().count() as u64
    }

    /// The household that was executed: without skipped steps, faults that had no effect, and steps after the failure.
    /// Played strictly, it has the same result.
    pub fn executed_scenario(&self) -> Scenario {
        let mut steps = Vec::new();
        for (step, outcome) in self.executed_steps() {
            if outcome.power_cut_first {
                steps.push(Step::new(Action::PowerCut));
            }
            let mut step = step.clone();
            if !outcome.fault_occurred {
                step.disturbance = None;
            }
            steps.push(step);
        }
        let steps = steps.into_iter().map(unspanned).collect();
        Scenario { steps, ..self.scenario.clone() }
    }
}
