//! The fault that a scenario plans for one step.

use backend::{CallEnd, CallResult, Disturbance};

/// A cut, a kill or a failing command that a step plans, and whether it has occurred.
#[derive(Clone, Debug)]
pub(super) struct PlannedFault {
    disturbance: Disturbance,
    /// Which call of the step, from 1.
    call: u32,
    occurred: bool,
}

impl PlannedFault {
    /// A fault in this call of the step, counted from 1.
    pub(super) fn new(disturbance: Disturbance, call: u32) -> Self {
        Self { disturbance, call, occurred: false }
    }

    /// The disturbance of a call of the step.
    pub(super) fn of_call(&self, call: u32) -> Option<&Disturbance> {
        (call == self.call).then_some(&self.disturbance)
    }

    /// Checks whether the fault occurred in a call that has ended.
    pub(super) fn call_ended(&mut self, result: &CallResult) {
        self.occurred |= match &self.disturbance {
            Disturbance::Cut(_) => result.end == CallEnd::PowerLost,
            Disturbance::Kill(_) => matches!(result.end, CallEnd::Killed(_)),
            Disturbance::Fail(command) => result.commands.iter().any(|ran| ran.is(command)),
        };
    }

    pub(super) fn has_occurred(&self) -> bool {
        self.occurred
    }

    /// The finding if it has not occurred.
    pub(super) fn missed(&self) -> String {
        let Self { disturbance, call, .. } = self;
        format!("`{disturbance}` did not occur: call {call} did not reach that point")
    }
}
