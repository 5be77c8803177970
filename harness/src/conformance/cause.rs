//! What is wrong, and the group to which it belongs wherever it is found.

use super::lease_fault::LeaseFault;
use runner::{Finding, FindingKind};
use scenario::{Group, Invariant};

/// What is wrong, independent of the story in which it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A call exceeds the time limit.
    Hangs,
    /// dnsmasq does not start, or misreads what `init` prints.
    UnreadableOutput,
    /// A lease is missing, unexpected, or not as dnsmasq reported it.
    Lease(LeaseFault),
    /// Something that the story expects has not happened.
    Expectation,
    /// A setting of another program was lost, changed or added.
    OtherSettings,
    /// The flash was written although nothing had changed.
    RedundantWrite,
}

impl Cause {
    /// The cause of a finding.
    pub fn of(finding: &Finding) -> Self {
        let first = |lines: &[Vec<u8>]| lines.first().cloned();
        let (wanted, found) = (first(&finding.evidence.expected), first(&finding.evidence.found));
        let fault = (wanted.is_some() || found.is_some())
            .then(|| LeaseFault::between(wanted.as_deref(), found.as_deref()));
        match finding.kind {
            FindingKind::Anomaly => Self::Hangs,
            FindingKind::Unmet | FindingKind::Mispredicted => Self::Expectation,
            FindingKind::Broken(invariant) => Self::of_invariant(invariant, fault),
        }
    }

    /// The cause of a broken invariant.
    pub fn of_invariant(invariant: Invariant, fault: Option<LeaseFault>) -> Self {
        match invariant {
            Invariant::Parsability => Self::UnreadableOutput,
            Invariant::Neighbours => Self::OtherSettings,
            Invariant::NoRedundantWrites => Self::RedundantWrite,
            Invariant::Durability | Invariant::Atomicity | Invariant::Agreement => {
                Self::Lease(fault.unwrap_or(LeaseFault::Different))
            }
        }
    }

    /// The group to which the cause belongs where an orderly restart is enough to show it.
    pub fn home(self) -> Group {
        match self {
            Self::UnreadableOutput => Group::StartUpOutput,
            Self::OtherSettings => Group::OtherSettings,
            Self::RedundantWrite => Group::WriteEconomy,
            Self::Lease(
                LeaseFault::EndsTooEarly | LeaseFault::EndsTooLate | LeaseFault::NeverEnds,
            ) => Group::ClockJumps,
            Self::Hangs | Self::Lease(_) | Self::Expectation => Group::Survives,
        }
    }
}
