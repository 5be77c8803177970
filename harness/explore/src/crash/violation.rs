//! A violated invariant, with the id that reproduces it.

use runner::Severity;
use scenario::{Group, Id, Invariant};

/// One violated invariant in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant that does not hold.
    pub invariant: Invariant,
    /// How serious it is.
    pub severity: Severity,
    /// The group of the report to which it belongs.
    pub group: Group,
    /// The first difference between what is expected and what was found, in words.
    pub text: String,
    /// Number of the scenario's step, from 1.
    pub step: usize,
    /// The reproduction id of this state.
    pub id: Id,
}
