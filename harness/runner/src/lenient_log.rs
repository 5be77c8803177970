//! A run that does not insist: what cannot be done is left out, and it is written down what was done.

/// What became of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// It could not be done: the router was off, or nobody has the client's name.
    pub left_out: bool,
    /// It is a boot, and power had to go first.
    pub power_went_first: bool,
    /// What was to disturb it has struck.
    pub struck: bool,
    /// How many script calls it made.
    pub calls: u64,
}

/// What became of each step, up to the first that failed.
#[derive(Clone, Debug, Default)]
pub struct LenientLog {
    /// In the order of the steps.
    pub steps: Vec<Done>,
}

impl LenientLog {
    /// The step under way.
    pub fn now(&mut self) -> &mut Done {
        if self.steps.is_empty() {
            self.steps.push(Done::default());
        }
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }
}
