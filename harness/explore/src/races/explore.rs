//! Every interleaving of a race, counted.

use std::collections::{BTreeMap, HashMap};

use nvram_emu::dialect::openwrt::OpenWrt;

use super::command::Stepper;
use super::judge::{Effect, Judge, Outcome};
use super::schedule::{Schedule, Who};
use super::state::State;
use super::{Lock, Race};

/// No schedule of this kind.
const NONE: u16 = u16::MAX;

/// What all interleavings of a race came to.
#[derive(Clone, Debug)]
pub struct Found {
    /// How many interleavings there are.
    pub interleavings: u128,
    /// How many different states they go through.
    pub states: usize,
    /// By what went wrong, the most frequent first.
    pub groups: Vec<Group>,
}

/// The interleavings in which the same things went wrong.
#[derive(Clone, Debug)]
pub struct Group {
    /// What went wrong; nothing: all is well.
    pub effects: Vec<Effect>,
    /// How many interleavings.
    pub ways: u128,
    /// How many older variables are lost at worst.
    pub older: usize,
    /// In how many of them a command crashed.
    pub crashes: u128,
    /// One with the fewest changes between the processes.
    pub example: Schedule,
}

impl Found {
    /// How many interleavings lose something that nobody is told of.
    pub fn silent(&self) -> u128 {
        let silent = |group: &&Group| group.effects.iter().any(|effect| effect.is_silent());
        self.groups.iter().filter(silent).map(|group| group.ways).sum()
    }

    /// How many go well.
    pub fn held(&self) -> u128 {
        self.groups.iter().filter(|group| group.effects.is_empty()).map(|group| group.ways).sum()
    }
}

/// How many interleavings lead from a state to an outcome, and the fewest changes of process on the way when
/// the first step is A's or B's.
#[derive(Clone, Copy)]
struct Ways {
    count: u128,
    changes: [u16; 2],
}

struct Explorer {
    stepper: Stepper,
    judge: Judge,
    tool: &'static OpenWrt,
    numbers: HashMap<State, usize>,
    /// For each state: its successors, and its outcomes by number.
    known: Vec<Known>,
    outcomes: Vec<Outcome>,
}

#[derive(Clone, Default)]
struct Known {
    next: [Option<usize>; 2],
    ways: BTreeMap<usize, Ways>,
}

/// Looks at every interleaving. `None` where the tool that races is missing from this build.
pub fn explore(race: &Race, lock: Lock) -> Option<Found> {
    let tool = Race::tool()?;
    let (stepper, start, judge) = race.start(tool, lock);
    let (numbers, known, outcomes) = (HashMap::new(), Vec::new(), Vec::new());
    let mut explorer = Explorer { stepper, judge, tool, numbers, known, outcomes };
    let root = explorer.visit(start);
    let mut groups: BTreeMap<Vec<Effect>, (Group, u16)> = BTreeMap::new();
    for (number, ways) in explorer.known[root].ways.clone() {
        let outcome = &explorer.outcomes[number];
        let fewest = ways.changes[0].min(ways.changes[1]);
        let crashes = if outcome.crashed.contains(&true) { ways.count } else { 0 };
        let example =
            || Schedule { race: race.name.to_owned(), lock, steps: explorer.example(root, number) };
        let (group, least) = groups.entry(outcome.effects.clone()).or_insert_with(|| {
            let effects = outcome.effects.clone();
            (Group { effects, ways: 0, older: 0, crashes: 0, example: example() }, fewest)
        });
        group.ways += ways.count;
        group.older = group.older.max(outcome.older);
        group.crashes += crashes;
        if fewest < *least {
            (group.example, *least) = (example(), fewest);
        }
    }
    let mut groups: Vec<Group> = groups.into_values().map(|(group, _)| group).collect();
    groups.sort_by_key(|group| (!group.effects.is_empty(), std::cmp::Reverse(group.ways)));
    let interleavings = groups.iter().map(|group| group.ways).sum();
    Some(Found { interleavings, states: explorer.known.len(), groups })
}

impl Explorer {
    /// As deep as the processes have steps: some dozens.
    fn visit(&mut self, state: State) -> usize {
        if let Some(number) = self.numbers.get(&state) {
            return *number;
        }
        let mut found = Known::default();
        for who in [0, 1] {
            let Some((next, _)) = self.stepper.step(&state, who) else { continue };
            let next = self.visit(next);
            found.next[who] = Some(next);
            for (outcome, then) in &self.known[next].ways {
                let ways =
                    found.ways.entry(*outcome).or_insert(Ways { count: 0, changes: [NONE; 2] });
                ways.count += then.count;
                let [same, other] = [then.changes[who], then.changes[1 - who].saturating_add(1)];
                // At the end there is no further change.
                ways.changes[who] = same.min(other);
            }
        }
        if found.next == [None, None] {
            let outcome = self.judge.judge(&self.stepper, self.tool, &state);
            let number =
                self.outcomes.iter().position(|known| *known == outcome).unwrap_or_else(|| {
                    self.outcomes.push(outcome);
                    self.outcomes.len() - 1
                });
            found.ways.insert(number, Ways { count: 1, changes: [0; 2] });
        }
        let number = self.known.len();
        self.known.push(found);
        self.numbers.insert(state, number);
        number
    }

    /// The steps to an outcome with the fewest changes of process.
    fn example(&self, root: usize, outcome: usize) -> Vec<Who> {
        let mut steps = Vec::new();
        let (mut at, mut last) = (root, None);
        while self.known[at].next != [None, None] {
            let cost = |who: usize| {
                let changes =
                    self.known[at].ways.get(&outcome).map_or(NONE, |ways| ways.changes[who]);
                changes.saturating_add(u16::from(last.is_some_and(|last| last != who)))
            };
            let who = usize::from(cost(1) < cost(0));
            let Some(next) = self.known[at].next[who] else { break };
            steps.push(Who::of(who));
            (at, last) = (next, Some(who));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::races::catalogue;

    /// Walks through every interleaving by itself, and counts what it comes to.
    fn walk(
        stepper: &mut Stepper,
        judge: &Judge,
        state: &State,
        counts: &mut BTreeMap<Vec<Effect>, u128>,
    ) {
        let mut over = true;
        for who in [0, 1] {
            if let Some((next, _)) = stepper.step(state, who) {
                over = false;
                walk(stepper, judge, &next, counts);
            }
        }
        if over {
            let tool = Race::tool().expect("a tool");
            *counts.entry(judge.judge(stepper, tool, state).effects).or_default() += 1;
        }
    }

    #[test]
    fn known_states_are_counted_as_if_walked_through_again() {
        for (name, lock) in [("set+set-staged", Lock::None), ("ours+web", Lock::Held)] {
            let race = catalogue().into_iter().find(|race| race.name == name).expect("a race");
            let (mut stepper, start, judge) = race.start(Race::tool().expect("a tool"), lock);
            let mut counts = BTreeMap::new();
            walk(&mut stepper, &judge, &start, &mut counts);
            let found = explore(&race, lock).expect("a tool");
            let groups: BTreeMap<_, _> =
                found.groups.iter().map(|group| (group.effects.clone(), group.ways)).collect();
            assert_eq!(groups, counts, "{name}");
            assert_eq!(found.interleavings, counts.values().sum::<u128>());
        }
    }
}
