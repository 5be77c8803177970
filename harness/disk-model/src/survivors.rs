//! What a power cut can leave of a disk.
//!
//! | model | names | contents |
//! |---|---|---|
//! | ordered | any first part of the changes since the last fsync of anything | any first part of what was written since the file's last fsync |
//! | reordering | any of the changes since the last fsync of the folder, whatever came before or after | each write whole, its first half, its second half behind zeros, as zeros, or not at all |
//!
//! Up to [`FREE`] changes are combined in every way. Of more, these combinations are tried: none, all, the first so many,
//! each one alone, all but one. Of the contents of several files: all as old or as new as can be, and each state of one
//! file with the others old, and with the others new.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Files;
use super::disk::{DataChange, Disk, Names, Node, apply_name};

/// Changes of names that are combined in every way.
const FREE: usize = 5;
/// States of one file's contents at most.
const CONTENTS: usize = 24;

/// The disks that a power cut can leave, each as the next boot finds it.
pub fn survivors(disk: &Disk) -> Vec<Disk> {
    let mut found = Vec::new();
    let mut contents: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
    for names in name_states(disk) {
        let mut nodes: Vec<usize> = names.values().copied().collect();
        nodes.sort_unstable();
        nodes.dedup();
        for node in &nodes {
            contents.entry(*node).or_insert_with(|| content_states(&disk.nodes[*node], disk.files));
        }
        let old = |node: usize| &disk.nodes[node].durable;
        let new = |node: usize| &disk.nodes[node].data;
        found.push(boot(disk, &names, &nodes, |node| old(node)));
        if nodes.iter().any(|node| old(*node) != new(*node)) {
            found.push(boot(disk, &names, &nodes, |node| new(node)));
        }
        for varied in &nodes {
            let states = &contents[varied];
            for state in states.iter().filter(|_| states.len() > 1) {
                found.push(boot(disk, &names, &nodes, |node| {
                    if node == *varied { state } else { old(node) }
                }));
                found.push(boot(disk, &names, &nodes, |node| {
                    if node == *varied { state } else { new(node) }
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
    let mut left = Disk::new(disk.files);
    left.has_links = disk.has_links;
    left.room = disk.room;
    left.nodes = vec![Node::default(); disk.nodes.len()];
    for node in nodes {
        left.nodes[*node] = Node::whole(contents(*node).clone(), disk.nodes[*node].modified());
    }
    left.names.clone_from(names);
    left.durable.clone_from(names);
    left
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
    match disk.files {
        Files::Ordered => {
            for first in 0..=pending.len() {
                add(&mut |at| at < first);
            }
        }
        Files::Reordering if pending.len() <= FREE => {
            for chosen in 0..1usize << pending.len() {
                add(&mut |at| chosen >> at & 1 == 1);
            }
        }
        Files::Reordering => {
            for one in 0..=pending.len() {
                add(&mut |at| at < one);
                add(&mut |at| at == one);
                add(&mut |at| at != one);
            }
        }
    }
    states
}

fn content_states(node: &Node, files: Files) -> Vec<Vec<u8>> {
    let mut states: Vec<Vec<u8>> = vec![node.durable.clone()];
    match files {
        Files::Ordered => {
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
        Files::Reordering => {
            for change in &node.pending {
                let mut next = Vec::new();
                for state in &states {
                    next.push(state.clone());
                    for (part, zeros) in parts(change) {
                        let mut data = state.clone();
                        if zeros {
                            change.apply(&mut data, &(0..change.length()));
                            blank(&mut data, change);
                        } else {
                            change.apply(&mut data, &part);
                        }
                        next.push(data);
                    }
                }
                next.dedup();
                next.truncate(CONTENTS);
                states = next;
            }
            // Everything arrived: always one of them.
            states.push(node.data.clone());
        }
    }
    states.sort();
    states.dedup();
    states
}

/// The parts in which a change may arrive, and whether only its length does.
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

fn blank(data: &mut [u8], change: &DataChange) {
    if let DataChange::Write(at, bytes) = change {
        let end = (at + bytes.len()).min(data.len());
        data[*at..end].fill(0);
    }
}
