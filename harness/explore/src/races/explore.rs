//! Visits every interleaving of a race, and counts the outcomes.

use std::collections::{BTreeMap, HashMap};

use nvram_emu::dialect::openwrt::OpenWrt;

use super::outcome::{Judge, Outcome};
use super::state::State;
use super::stepper::Stepper;
use super::{Anomaly, Locking, Process, Race, Schedule};

/// No such schedule.
const NONE: u16 = u16::MAX;

/// The outcomes of all interleavings of a race.
#[derive(Clone, Debug)]
pub struct RaceReport {
    /// Number of interleavings.
    pub interleavings: u128,
    /// Number of different states in them.
    pub states: usize,
    /// The interleavings by what went wrong: first those without anomalies, then the most frequent.
    pub groups: Vec<OutcomeGroup>,
}

/// The interleavings with the same anomalies.
#[derive(Clone, Debug)]
pub struct OutcomeGroup {
    /// What went wrong; empty if nothing did.
    pub anomalies: Vec<Anomaly>,
    /// Number of interleavings.
    pub interleavings: u128,
    /// Number of older variables that are lost or changed, in the worst of them.
    pub lost_settings: usize,
    /// Number of them in which a command crashed.
    pub crashes: u128,
    /// One with the fewest switches between the processes.
    pub example: Schedule,
}

impl RaceReport {
    /// Number of interleavings with an anomaly that no exit code reports.
    pub fn silent(&self) -> u128 {
        let silent =
            |group: &&OutcomeGroup| group.anomalies.iter().any(|anomaly| anomaly.is_silent());
        self.groups.iter().filter(silent).map(|group| group.interleavings).sum()
    }

    /// Number of interleavings without anomalies.
    pub fn correct(&self) -> u128 {
        self.groups
            .iter()
            .filter(|group| group.anomalies.is_empty())
            .map(|group| group.interleavings)
            .sum()
    }
}

/// The interleavings from a state to an outcome.
#[derive(Clone, Copy)]
struct Paths {
    count: u128,
    /// The fewest switches between the processes, by the process that takes the first step.
    switches: [u16; 2],
}

struct Explorer {
    stepper: Stepper,
    judge: Judge,
    tool: &'static OpenWrt,
    numbers: HashMap<State, usize>,
    nodes: Vec<Node>,
    outcomes: Vec<Outcome>,
}

/// A visited state.
#[derive(Clone, Default)]
struct Node {
    /// The number of the state after a step of each process.
    next: [Option<usize>; 2],
    /// The interleavings to each outcome, by its number.
    paths: BTreeMap<usize, Paths>,
}

/// Visits every interleaving of a race. Returns `None` if this build lacks the openwrt dialect.
pub fn explore(race: &Race, lock: Locking) -> Option<RaceReport> {
    let tool = Race::tool()?;
    let (stepper, start, judge) = race.start(tool, lock);
    let (numbers, nodes, outcomes) = (HashMap::new(), Vec::new(), Vec::new());
    let mut explorer = Explorer { stepper, judge, tool, numbers, nodes, outcomes };
    let root = explorer.visit(start);
    let mut groups: BTreeMap<Vec<Anomaly>, (OutcomeGroup, u16)> = BTreeMap::new();
    for (number, paths) in explorer.nodes[root].paths.clone() {
        let outcome = &explorer.outcomes[number];
        let fewest = paths.switches[0].min(paths.switches[1]);
        let crashes = if outcome.crashed.contains(&true) { paths.count } else { 0 };
        let example =
            || Schedule { race: race.name.to_owned(), lock, steps: explorer.example(root, number) };
        let (group, least) = groups.entry(outcome.anomalies.clone()).or_insert_with(|| {
            let anomalies = outcome.anomalies.clone();
            let example = example();
            (
                OutcomeGroup { anomalies, interleavings: 0, lost_settings: 0, crashes: 0, example },
                fewest,
            )
        });
        group.interleavings += paths.count;
        group.lost_settings = group.lost_settings.max(outcome.lost_settings);
        group.crashes += crashes;
        if fewest < *least {
            (group.example, *least) = (example(), fewest);
        }
    }
    let mut groups: Vec<OutcomeGroup> = groups.into_values().map(|(group, _)| group).collect();
    groups
        .sort_by_key(|group| (!group.anomalies.is_empty(), std::cmp::Reverse(group.interleavings)));
    let interleavings = groups.iter().map(|group| group.interleavings).sum();
    Some(RaceReport { interleavings, states: explorer.nodes.len(), groups })
}

impl Explorer {
    /// Visits a state and all that follow, and returns its number. The recursion is as deep as the processes have steps:
    /// some dozens.
    fn visit(&mut self, state: State) -> usize {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        let mut node = Node::default();
        for process in [0, 1] {
            let Some((next, _)) = self.stepper.step(&state, process) else { continue };
            let next = self.visit(next);
            node.next[process] = Some(next);
            for (outcome, then) in &self.nodes[next].paths {
                let paths =
                    node.paths.entry(*outcome).or_insert(Paths { count: 0, switches: [NONE; 2] });
                paths.count += then.count;
                let [same, other] =
                    [then.switches[process], then.switches[1 - process].saturating_add(1)];
                paths.switches[process] = same.min(other);
            }
        }
        if node.next == [None, None] {
            let outcome = self.judge.judge(&self.stepper, self.tool, &state);
            let number =
                self.outcomes.iter().position(|known| *known == outcome).unwrap_or_else(|| {
                    self.outcomes.push(outcome);
                    self.outcomes.len() - 1
                });
            node.paths.insert(number, Paths { count: 1, switches: [0; 2] });
        }
        let number = self.nodes.len();
        self.nodes.push(node);
        self.numbers.insert(state, number);
        number
    }

    /// The steps to an outcome with the fewest switches between the processes.
    fn example(&self, root: usize, outcome: usize) -> Vec<Process> {
        let mut steps = Vec::new();
        let (mut at, mut last) = (root, None);
        while self.nodes[at].next != [None, None] {
            let cost = |process: usize| {
                let paths = self.nodes[at].paths.get(&outcome);
                let switches = paths.map_or(NONE, |paths| paths.switches[process]);
                switches.saturating_add(u16::from(last.is_some_and(|last| last != process)))
            };
            let process = usize::from(cost(1) < cost(0));
            let Some(next) = self.nodes[at].next[process] else { break };
            steps.push(Process::from_index(process));
            (at, last) = (next, Some(process));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::catalogue;

    /// Visits every interleaving separately, without recognising equal states, and counts the outcomes.
    fn visit_separately(
        stepper: &mut Stepper,
        judge: &Judge,
        state: &State,
        counts: &mut BTreeMap<Vec<Anomaly>, u128>,
    ) {
        let mut exited = true;
        for process in [0, 1] {
            if let Some((next, _)) = stepper.step(state, process) {
                exited = false;
                visit_separately(stepper, judge, &next, counts);
            }
        }
        if exited {
            let tool = Race::tool().expect("a tool");
            *counts.entry(judge.judge(stepper, tool, state).anomalies).or_default() += 1;
        }
    }

    #[test]
    fn counts_equal_those_of_a_separate_visit_of_each_interleaving() {
        for (name, lock) in [("set+set-staged", Locking::None), ("ours+web", Locking::PerCommand)] {
            let race = catalogue().into_iter().find(|race| race.name == name).expect("a race");
            let (mut stepper, start, judge) = race.start(Race::tool().expect("a tool"), lock);
            let mut counts = BTreeMap::new();
            visit_separately(&mut stepper, &judge, &start, &mut counts);
            let report = explore(&race, lock).expect("a tool");
            let groups: BTreeMap<_, _> = report
                .groups
                .iter()
                .map(|group| (group.anomalies.clone(), group.interleavings))
                .collect();
            assert_eq!(groups, counts, "{name}");
            assert_eq!(report.interleavings, counts.values().sum::<u128>());
        }
    }
}
