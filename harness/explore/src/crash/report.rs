//! The report of an exploration.

use std::collections::BTreeMap;
use std::time::Duration;

use super::judgement::Judgement;
use super::{PointCount, PointKind, Verdict, Violation, VulnerabilityWindow};
use runner::{Finding, FindingKind};
use scenario::Id;

/// Further kinds of violations of a severity are not kept.
const MAX_VIOLATIONS: usize = 20;

/// Counts and violations of one case, or the sum over several cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Points at which a fault was injected.
    pub points: u64,
    /// Different states after those faults.
    pub distinct: u64,
    /// States that were judged.
    pub checked: u64,
    /// Different flash images among them. Each was loaded by the dialect and read by `init`.
    pub images: u64,
    /// Judged states in which every invariant holds.
    pub kept: u64,
    /// Judged states with a loss that this store cannot prevent.
    pub lost: u64,
    /// Judged states with violations that the scenario does not declare.
    pub broken: u64,
    /// Judged states with violations that the policy allows, because of their severity or their group.
    pub allowed: u64,
    /// Judged states with violations that the scenario declares.
    pub declared: u64,
    /// Points by kind.
    pub coverage: BTreeMap<PointKind, PointCount>,
    /// The kinds of violations, each with its first one.
    pub violations: Vec<Violation>,
    /// What was found in the run without faults.
    pub undisturbed: Vec<Finding>,
    /// Every judged state with its verdict, if [`Options::list`](super::Options::list) is set.
    pub listed: Vec<(Id, Verdict)>,
    /// How long the store had no valid copy.
    pub window: VulnerabilityWindow,
    /// Processor time of the exploration.
    pub took: Duration,
}

/// Returns whether a call hung in a run with these findings.
pub(super) fn has_hung(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.kind == FindingKind::Anomaly)
}

impl Report {
    /// Adds the report of another case.
    pub fn add(&mut self, other: Self) {
        self.points += other.points;
        self.distinct += other.distinct;
        self.checked += other.checked;
        self.images += other.images;
        self.kept += other.kept;
        self.lost += other.lost;
        self.broken += other.broken;
        self.allowed += other.allowed;
        self.declared += other.declared;
        for (kind, count) in other.coverage {
            let sum = self.coverage.entry(kind).or_default();
            sum.points += count.points;
            sum.distinct += count.distinct;
        }
        self.add_violations(other.violations);
        self.undisturbed.extend(other.undisturbed);
        self.listed.extend(other.listed);
        self.window.commits += other.window.commits;
        self.window.open += other.window.open;
        self.window.simulated += other.window.simulated;
        self.took += other.took;
    }

    /// Whether a call hung in the run without faults.
    pub fn has_hung(&self) -> bool {
        has_hung(&self.undisturbed)
    }

    /// Kinds of points that an exploration of this depth can reach, but did not.
    pub fn unreached(&self, depth: u32) -> Vec<PointKind> {
        let reached =
            |kind: &PointKind| self.coverage.get(kind).is_some_and(|count| count.points > 0);
        PointKind::ALL
            .into_iter()
            .filter(|kind| kind.is_reachable(depth) && !reached(kind))
            .collect()
    }

    pub(super) fn add_judgement(&mut self, judgement: Judgement) {
        match judgement {
            Judgement::Kept => self.kept += 1,
            Judgement::Lost => self.lost += 1,
            Judgement::Declared => self.declared += 1,
            Judgement::Allowed(violations) => {
                self.allowed += 1;
                self.add_violations(violations);
            }
            Judgement::Broken(violations) => {
                self.broken += 1;
                self.add_violations(violations);
            }
        }
    }

    fn add_violations(&mut self, violations: Vec<Violation>) {
        for violation in violations {
            if let Some(alike) = self.violations.iter_mut().find(|kept| kept.is_like(&violation)) {
                alike.count += violation.count;
                continue;
            }
            let kept = self.violations.iter().filter(|kept| kept.severity == violation.severity);
            if kept.count() < MAX_VIOLATIONS {
                self.violations.push(violation);
            }
        }
    }
}
