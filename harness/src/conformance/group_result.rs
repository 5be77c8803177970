//! The result of a group, with an example.

use std::collections::BTreeSet;

use super::attribution::attribute;
use super::observation::Observation;
use super::verdict::GroupVerdict;
use runner::Severity;
use scenario::Group;

/// The result of a group.
#[derive(Clone, Debug)]
pub struct GroupResult {
    /// The group.
    pub group: Group,
    /// The verdict.
    pub verdict: GroupVerdict,
    /// Number of cases of the group.
    pub cases: usize,
    /// What belongs to the group, the most serious first.
    pub observations: Vec<Observation>,
}

impl GroupResult {
    /// The observation to show.
    pub fn example(&self) -> Option<&Observation> {
        self.observations.first()
    }

    /// In how many cases anything was found.
    pub fn failed(&self) -> usize {
        self.observations.iter().map(|observation| &observation.case).collect::<BTreeSet<_>>().len()
    }

    /// In how many cases the cause of the example was found, at its severity.
    pub fn cases_like_example(&self) -> usize {
        let Some(example) = self.example() else { return 0 };
        let alike = |observation: &&Observation| {
            observation.cause == example.cause && observation.severity == example.severity
        };
        let alike = self.observations.iter().filter(alike);
        alike.map(|observation| &observation.case).collect::<BTreeSet<_>>().len()
    }
}

/// The results of all groups, from the cases that were played for each and what was found. `not_applicable` says why a
/// group does not apply to the script.
pub fn group_results(
    cases: &[(Group, String)],
    observations: &[Observation],
    not_applicable: impl Fn(Group) -> Option<&'static str>,
) -> Vec<GroupResult> {
    let groups = attribute(observations);
    Group::ALL
        .into_iter()
        .map(|group| {
            let names: BTreeSet<&String> =
                cases.iter().filter(|(of, _)| *of == group).map(|(_, name)| name).collect();
            let mut own: Vec<Observation> = observations
                .iter()
                .zip(&groups)
                .filter(|(_, belongs_to)| **belongs_to == group)
                .map(|(observation, _)| observation.clone())
                .collect();
            // Of equally serious observations, those of the group's own cases make the best examples.
            own.sort_by_key(|observation| {
                (std::cmp::Reverse(observation.severity), observation.found_in != group)
            });
            let hidden = || hidden_by(group, &names, observations, &groups);
            let verdict = match own.first() {
                Some(worst) => GroupVerdict::Found(worst.severity),
                None if names.is_empty() => GroupVerdict::NotApplicable("no case was played"),
                None => match (not_applicable(group), hidden()) {
                    (Some(why), _) => GroupVerdict::NotApplicable(why),
                    (None, Some(other)) => GroupVerdict::HiddenBy(other),
                    (None, None) => GroupVerdict::Ok,
                },
            };
            GroupResult { group, verdict, cases: names.len(), observations: own }
        })
        .collect()
}

/// The group whose mistakes hide every case of this one.
fn hidden_by(
    group: Group,
    names: &BTreeSet<&String>,
    observations: &[Observation],
    groups: &[Group],
) -> Option<Group> {
    let hiding: Vec<(&Observation, Group)> = observations
        .iter()
        .zip(groups.iter().copied())
        .filter(|(observation, belongs_to)| {
            observation.found_in == group
                && observation.severity == Severity::Bug
                && !observation.cause.concerns_no_lease()
                && *belongs_to != group
        })
        .collect();
    let hidden: BTreeSet<&String> =
        hiding.iter().map(|(observation, _)| &observation.case).collect();
    let all = !names.is_empty() && names.iter().all(|name| hidden.contains(*name));
    hiding.first().filter(|_| all).map(|(_, other)| *other)
}
