//! What is wrong, and the group to which it belongs wherever it is found.

use super::lease_fault::LeaseFault;
use runner::{Finding, FindingKind, Severity};
use scenario::{Group, Invariant};

/// What is wrong, independent of the scenario in which it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A call exceeds the time limit.
    Hangs,
    /// dnsmasq does not start, or misreads what `init` prints.
    UnreadableOutput,
    /// A lease is missing, unexpected, or not as dnsmasq reported it.
    Lease(LeaseFault),
    /// Each call leaves a process running.
    LeavesProcesses,
    /// The script signals or restarts dnsmasq in a call.
    SignalsDnsmasq,
    /// A call returns 0 before the lease is stored.
    ReturnsEarly,
    /// A power cut loses what was written to a file, and not synced.
    NotSynced,
    /// Something that the scenario expects has not happened.
    Expectation,
    /// A setting of another program was lost or changed.
    OtherSettings,
    /// The script adds variables that `--owns` does not name.
    UnknownVariables,
    /// The flash was written although nothing had changed.
    RedundantWrite,
}

impl Cause {
    /// The cause of a finding.
    pub fn of(finding: &Finding) -> Self {
        let first = |lines: &[Vec<u8>]| lines.first().cloned();
        let lines = (first(&finding.evidence.expected), first(&finding.evidence.found));
        let is_late =
            finding.evidence.call.as_ref().is_some_and(|record| record.result.stored_late);
        match finding.kind {
            FindingKind::Broken(Invariant::Durability) if is_late && lines == (None, None) => {
                Self::ReturnsEarly
            }
            FindingKind::Anomaly => Self::Hangs,
            FindingKind::Processes => Self::LeavesProcesses,
            FindingKind::Signals => Self::SignalsDnsmasq,
            FindingKind::Unmet | FindingKind::Mispredicted => Self::Expectation,
            FindingKind::Broken(Invariant::Neighbours) if finding.severity < Severity::Bug => {
                Self::UnknownVariables
            }
            FindingKind::Broken(invariant) => Self::of_invariant(invariant, &lines),
        }
    }

    /// The cause of a broken invariant. `lines` are the lease that must be stored and the one that is.
    pub fn of_invariant(
        invariant: Invariant,
        (wanted, found): &(Option<Vec<u8>>, Option<Vec<u8>>),
    ) -> Self {
        match invariant {
            Invariant::Parsability => Self::UnreadableOutput,
            Invariant::Neighbours => Self::OtherSettings,
            Invariant::NoRedundantWrites => Self::RedundantWrite,
            Invariant::Durability | Invariant::Atomicity | Invariant::Agreement => {
                Self::Lease(match (wanted, found) {
                    (None, None) => LeaseFault::Different,
                    _ => LeaseFault::between(wanted.as_deref(), found.as_deref()),
                })
            }
        }
    }

    /// Whether nothing more can be learnt about a script in which this is wrong.
    pub fn ends_the_check(self) -> bool {
        matches!(self, Self::Hangs | Self::LeavesProcesses)
    }

    /// Whether the leases of a case in which this is wrong can be judged all the same.
    pub fn concerns_no_lease(self) -> bool {
        matches!(self, Self::UnknownVariables | Self::SignalsDnsmasq)
    }

    /// The group to which the cause belongs where an orderly restart is enough to show it.
    pub fn home(self) -> Group {
        match self {
            Self::UnreadableOutput => Group::StartUpOutput,
            Self::OtherSettings | Self::UnknownVariables => Group::OtherSettings,
            Self::RedundantWrite => Group::WriteEconomy,
            Self::Lease(
                LeaseFault::EndsTooEarly | LeaseFault::EndsTooLate | LeaseFault::NeverEnds,
            ) => Group::ClockJumps,
            Self::Hangs
            | Self::LeavesProcesses
            | Self::SignalsDnsmasq
            | Self::ReturnsEarly
            | Self::NotSynced
            | Self::Lease(_)
            | Self::Expectation => Group::Survives,
        }
    }
}
