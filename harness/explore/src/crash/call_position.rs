//! The position of a script call in the search.

use super::point_kind::PointKind;
use runner::Severity;
use scenario::{FaultPoint, ScheduledFault};

/// The phase of a run in which a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunPhase {
    /// The undisturbed run.
    Undisturbed,
    /// The restart after a power cut.
    Recovery,
    /// The first events after a recovery, or the first call after a kill.
    FollowUp,
}

impl RunPhase {
    /// The kinds under which a point is counted in this phase: its position in the call, and the phase.
    pub(super) fn kinds(self, kind: PointKind) -> impl Iterator<Item = PointKind> {
        let phase = match self {
            Self::Undisturbed => None,
            Self::Recovery => Some(PointKind::Recovery),
            Self::FollowUp => Some(PointKind::FollowUp),
        };
        [Some(kind), phase].into_iter().flatten()
    }
}

/// The position of a call in the search.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallPosition<'p> {
    /// The faults that led to this call.
    pub(super) faults: &'p [ScheduledFault],
    /// Number of the call since the last of them, from 1.
    pub(super) ordinal: u32,
    pub(super) phase: RunPhase,
    /// How many more faults may follow, this call's included.
    pub(super) depth: u32,
    /// The highest severity of a violation, after the faults that led to this call.
    pub(super) highest: Severity,
}

impl CallPosition<'_> {
    /// The faults that led here, then `point` in this call.
    pub(super) fn schedule(&self, point: FaultPoint) -> Vec<ScheduledFault> {
        let mut faults = self.faults.to_vec();
        faults.push(ScheduledFault { call: self.ordinal, point });
        faults
    }
}
