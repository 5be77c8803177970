//! A log of a lenient run: steps that cannot be carried out are skipped, and the log says what each step did.

/// The result of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepOutcome {
    /// It was skipped: the router was off, or no client has the name.
    pub skipped: bool,
    /// It is a boot of a router that was on, so the power was cut first.
    pub power_cut_first: bool,
    /// Its cut, kill or failing command took effect.
    pub fault_occurred: bool,
    /// How many script calls it made.
    pub calls: u64,
}

/// The result of each step, up to the first that failed.
#[derive(Clone, Debug, Default)]
pub struct LenientLog {
    /// One entry for each step that was played, in their order.
    pub steps: Vec<StepOutcome>,
}

impl LenientLog {
    /// The entry of the current step.
    pub fn current(&mut self) -> &mut StepOutcome {
        if self.steps.is_empty() {
            self.steps.push(StepOutcome::default());
        }
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }
}
