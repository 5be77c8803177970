//! The kinds of findings, their severities and groups.

use scenario::{Group, Invariant};

use super::severity::Severity;

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// An invariant was broken.
    Broken(Invariant),
    /// An expectation of the scenario was not met.
    Unmet,
    /// The script timed out, a planned fault did not occur, or the back ends differ.
    Anomaly,
    /// Calls have left many processes running.
    Processes,
    /// The script signals dnsmasq in a way that has no end, or restarts it.
    Signals,
    /// The real dnsmasq did not do what the engine predicted.
    Mispredicted,
}

impl FindingKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken(invariant) => invariant.name(),
            Self::Unmet => "expectation",
            Self::Anomaly => "anomaly",
            Self::Processes => "processes",
            Self::Signals => "signals",
            Self::Mispredicted => "dnsmasq",
        }
    }
}

impl FindingKind {
    /// The severity of a finding of this kind about which no more is known.
    ///
    /// An unmet expectation, an anomaly and a wrong prediction are bugs: nothing that comes after them can be relied on.
    pub fn severity(self) -> Severity {
        match self {
            Self::Broken(Invariant::NoRedundantWrites) => Severity::Advice,
            Self::Broken(_)
            | Self::Unmet
            | Self::Anomaly
            | Self::Processes
            | Self::Signals
            | Self::Mispredicted => Severity::Bug,
        }
    }

    /// The group of a finding of this kind in a scenario of the group `scenario`.
    pub fn group(self, scenario: Option<Group>) -> Group {
        match self {
            Self::Broken(invariant) => Group::of_invariant(invariant, scenario),
            Self::Unmet | Self::Anomaly | Self::Processes | Self::Signals | Self::Mispredicted => {
                scenario.unwrap_or(Group::Survives)
            }
        }
    }
}
