//! The judgement of one state, with the violations that the scenario does not declare.

use super::{Verdict, Violation};

/// The judgement of one state.
#[derive(Debug)]
pub(super) enum Judgement {
    Kept,
    Lost,
    /// Broken, as the scenario's `breaks` declare.
    Declared,
    Broken(Vec<Violation>),
    /// Broken only in ways that do not make the exploration fail.
    Allowed(Vec<Violation>),
}

impl Judgement {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Kept => Verdict::Kept,
            Self::Lost => Verdict::Lost,
            Self::Allowed(_) => Verdict::Allowed,
            Self::Declared | Self::Broken(_) => Verdict::Broken,
        }
    }
}
