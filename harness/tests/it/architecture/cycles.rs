//! Cycles of a directed graph.

use std::collections::{BTreeMap, BTreeSet};

/// The groups of nodes that reach each other, each group with more than one node.
pub(super) fn cycles<N: Clone + Ord>(edges: &BTreeMap<N, BTreeSet<N>>) -> Vec<Vec<N>> {
    let reachable: BTreeMap<&N, BTreeSet<&N>> =
        edges.keys().map(|node| (node, reachable_from(node, edges))).collect();
    let mut groups: BTreeSet<Vec<N>> = BTreeSet::new();
    for (node, reached) in &reachable {
        let group: Vec<N> = reached
            .iter()
            .filter(|other| reachable.get(*other).is_some_and(|back| back.contains(node)))
            .map(|other| (*other).clone())
            .collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

fn reachable_from<'g, N: Ord>(node: &'g N, edges: &'g BTreeMap<N, BTreeSet<N>>) -> BTreeSet<&'g N> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&N> = edges.get(node).into_iter().flatten().collect();
    while let Some(next) = waiting.pop() {
        if found.insert(next) {
            waiting.extend(edges.get(next).into_iter().flatten());
        }
    }
    found
}
