//! The states of a disk that a power cut can leave.
//!
//! | ordering | names | contents |
//! |---|---|---|
//! | ordered | any prefix of the changes since the last `fsync` of any file or of the folder | any prefix of the bytes written since the last `fsync` of the file |
//! | reordering | any subset of the changes since the last `fsync` of the folder | for each write: all bytes, the first half, the second half (after zeros if it extends the file), only zeros, or nothing |
//!
//! For up to [`MAX_COMBINED`] name changes, all subsets are enumerated. For more changes, these subsets are enumerated: each
//! prefix, each change alone, and all changes but one. For the contents of several files, these combinations are enumerated:
//! all files in their oldest state, all files in their newest state, and each state of one file with the other files in
//! their oldest and in their newest state.

use std::collections::BTreeMap;
use std::ops::Range;

use super::disk::Disk;
use super::names::{Names, apply_name};
use super::node::{DataChange, Node};
use super::ordering::WriteOrdering;

/// Maximum number of name changes for which all subsets are enumerated.
const MAX_COMBINED: usize = 5;
/// Maximum number of states of one file that are enumerated.
const MAX_CONTENTS: usize = 24;

/// Returns the states that a power cut can leave, each as the next boot finds it.
pub fn states_after_power_cut(disk: &Disk) -> Vec<Disk> {
    let mut found = Vec::new();
    let mut contents: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
    for names in name_states(disk) {
        let mut nodes: Vec<usize> = names.values().copied().collect();
        nodes.sort_unstable();
        nodes.dedup();
        for node in &nodes {
            contents
                .entry(*node)
                .or_insert_with(|| content_states(&disk.nodes[*node], disk.ordering));
        }
        let old = |node: usize| &disk.nodes[node].durable;
        let new = |node: usize| &disk.nodes[node].data;
        found.push(boot(disk, &names, &nodes, |node| old(node)));
        if nodes.iter().any(|node| old(*node) != new(*node)) {
            found.push(boot(disk, &names, &nodes, |node| new(node)));
        }
        for changing in &nodes {
            let states = &contents[changing];
            for state in states.iter().filter(|_| states.len() > 1) {
                found.push(boot(disk, &names, &nodes, |node| {
                    if node == *changing { state } else { old(node) }
                }));
                found.push(boot(disk, &names, &nodes, |node| {
                    if node == *changing { state } else { new(node) }
                }));
            }
        }
    }
    found
}

fn boot<'a>(
    disk: &Disk,
    names: &Names,
    nodes: &[usize],
    contents: impl Fn(usize) -> &'a Vec<u8>,
) -> Disk {
    let mut booted = Disk::new(disk.ordering);
    booted.has_links = disk.has_links;
    booted.nodes = vec![Node::default(); disk.nodes.len()];
    for node in nodes {
        booted.nodes[*node] = Node::synced(contents(*node).clone(), disk.nodes[*node].modified());
    }
    booted.names.clone_from(names);
    booted.durable.clone_from(names);
    booted
}

fn name_states(disk: &Disk) -> Vec<Names> {
    let pending = &disk.pending;
    let mut states = Vec::new();
    let mut add = |chosen: &mut dyn FnMut(usize) -> bool| {
        let mut names = disk.durable.clone();
        for (at, change) in pending.iter().enumerate() {
            if chosen(at) {
                apply_name(&mut names, change);
            }
        }
        if !states.contains(&names) {
            states.push(names);
        }
    };
    match disk.ordering {
        WriteOrdering::Ordered => {
            for first in 0..=pending.len() {
                add(&mut |at| at < first);
            }
        }
        WriteOrdering::Reordering if pending.len() <= MAX_COMBINED => {
            for chosen in 0..1usize << pending.len() {
                add(&mut |at| chosen >> at & 1 == 1);
            }
        }
        WriteOrdering::Reordering => {
            for one in 0..=pending.len() {
                add(&mut |at| at < one);
                add(&mut |at| at == one);
                add(&mut |at| at != one);
            }
        }
    }
    states
}

fn content_states(node: &Node, ordering: WriteOrdering) -> Vec<Vec<u8>> {
    let mut states: Vec<Vec<u8>> = vec![node.durable.clone()];
    match ordering {
        WriteOrdering::Ordered => {
            let mut data = node.durable.clone();
            for change in &node.pending {
                let length = change.length();
                for cut in [1, length / 2, length.saturating_sub(1)] {
                    let mut torn = data.clone();
                    if (1..length).contains(&cut) {
                        change.apply(&mut torn, &(0..cut));
                        states.push(torn);
                    }
                }
                change.apply(&mut data, &(0..length));
                states.push(data.clone());
            }
        }
        WriteOrdering::Reordering => {
            for change in &node.pending {
                let mut next = Vec::new();
                for state in &states {
                    next.push(state.clone());
                    for (part, as_zeros) in parts(change) {
                        let mut data = state.clone();
                        if as_zeros {
                            change.apply(&mut data, &(0..change.length()));
                            zero(&mut data, change);
                        } else {
                            change.apply(&mut data, &part);
                        }
                        next.push(data);
                    }
                }
                next.dedup();
                next.truncate(MAX_CONTENTS);
                states = next;
            }
            // The state in which all changes have reached the medium is always included.
            states.push(node.data.clone());
        }
    }
    states.sort();
    states.dedup();
    states
}

/// Returns the parts of a change that may reach the medium, each with whether its bytes become zeros.
fn parts(change: &DataChange) -> Vec<(Range<usize>, bool)> {
    let length = change.length();
    match change {
        DataChange::Truncate(_) => vec![(0..0, false)],
        DataChange::Write(..) if length < 2 => vec![(0..length, false)],
        DataChange::Write(..) => vec![
            (0..length, false),
            (0..length / 2, false),
            (length / 2..length, false),
            (0..length, true),
        ],
    }
}

/// Replaces the bytes of a write with zeros.
fn zero(data: &mut [u8], change: &DataChange) {
    if let DataChange::Write(at, bytes) = change {
        let end = (at + bytes.len()).min(data.len());
        data[*at..end].fill(0);
    }
}
