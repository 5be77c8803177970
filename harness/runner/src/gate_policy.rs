//! Which findings make a run fail.

use std::collections::BTreeSet;

use scenario::Group;

use super::finding::Finding;
use super::severity::Severity;

/// Which findings make a case fail. The others are reported, and do not change the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatePolicy {
    /// Findings of at least this severity fail.
    pub deny: Severity,
    /// Findings of these groups do not fail.
    pub allow: BTreeSet<Group>,
}

impl Default for GatePolicy {
    fn default() -> Self {
        Self { deny: Severity::Bug, allow: BTreeSet::new() }
    }
}

impl GatePolicy {
    /// Every finding fails.
    pub fn strict() -> Self {
        Self { deny: Severity::Advice, allow: BTreeSet::new() }
    }

    /// Whether a finding of this severity and group fails.
    pub fn denies(&self, severity: Severity, group: Group) -> bool {
        severity >= self.deny && !self.allow.contains(&group)
    }

    /// Whether none of the findings fails.
    pub fn passes<'f>(&self, findings: impl IntoIterator<Item = &'f Finding>) -> bool {
        findings.into_iter().all(|finding| !self.denies(finding.severity, finding.group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Severity::Bug, &[], [false, false, true])]
    #[case(Severity::Risk, &[], [false, true, true])]
    #[case(Severity::Advice, &[], [true, true, true])]
    #[case(Severity::Advice, &[Group::Atomic], [false, false, false])]
    #[case(Severity::Advice, &[Group::Survives], [true, true, true])]
    fn a_policy_denies_from_its_severity_on_outside_the_allowed_groups(
        #[case] deny: Severity,
        #[case] allow: &[Group],
        #[case] denied: [bool; 3],
    ) {
        let policy = GatePolicy { deny, allow: allow.iter().copied().collect() };
        let found = Severity::ALL.map(|severity| policy.denies(severity, Group::Atomic));
        assert_eq!(found, denied);
    }
}
