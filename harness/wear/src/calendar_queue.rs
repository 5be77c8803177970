//! A calendar queue of events.
//!
//! The queue returns events in the same order as a binary heap. The events of a household are spread evenly over a
//! lease time, so buckets of equal width hold one or two events each, and push and pop take a few steps, independent of
//! the number of clients.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const BUCKETS: usize = 1024;
const WORD: usize = 64;

/// A queue of events. Each event is a time and an id; events are ordered by time, then by id.
#[derive(Debug)]
pub(super) struct CalendarQueue {
    /// The binary logarithm of the width of a bucket in seconds.
    width: u32,
    /// The number of the bucket of the earliest possible event, counted from time 0.
    first: u64,
    buckets: Vec<Vec<(u64, u32)>>,
    /// A bitmap of the buckets that are not empty.
    occupied: [u64; BUCKETS / WORD],
    /// Events after the last bucket.
    later: BinaryHeap<Reverse<(u64, u32)>>,
}

impl CalendarQueue {
    /// Creates an empty queue. It is fastest if most events lie within `horizon` seconds of the earliest event.
    pub(super) fn new(horizon: u64) -> Self {
        let width = horizon.div_ceil(BUCKETS as u64 / 2).max(1).next_power_of_two().ilog2();
        Self {
            width,
            first: 0,
            buckets: vec![Vec::new(); BUCKETS],
            occupied: [0; BUCKETS / WORD],
            later: BinaryHeap::new(),
        }
    }

    /// Adds an event. It must not be earlier than the event that was popped last.
    pub(super) fn push(&mut self, time: u64, id: u32) {
        let bucket = time >> self.width;
        if bucket >= self.first + BUCKETS as u64 {
            self.later.push(Reverse((time, id)));
            return;
        }
        let slot = bucket as usize % BUCKETS;
        self.buckets[slot].push((time, id));
        self.occupied[slot / WORD] |= 1 << (slot % WORD);
    }

    /// Removes and returns the earliest event.
    pub(super) fn pop(&mut self) -> Option<(u64, u32)> {
        let Some(slot) = self.next_occupied() else {
            let Reverse((time, id)) = self.later.pop()?;
            self.first = time >> self.width;
            self.move_from_later();
            return Some((time, id));
        };
        let passed = (slot + BUCKETS - self.first as usize % BUCKETS) % BUCKETS;
        if passed > 0 {
            self.first += passed as u64;
            // The moved events are later than those in `slot`, because their buckets follow it.
            self.move_from_later();
        }
        let bucket = &mut self.buckets[slot];
        let at = (0..bucket.len()).min_by_key(|at| bucket[*at])?;
        let earliest = bucket.swap_remove(at);
        if bucket.is_empty() {
            self.occupied[slot / WORD] &= !(1 << (slot % WORD));
        }
        Some(earliest)
    }

    /// Returns the slot of the first bucket that is not empty, searching from `first` and wrapping around.
    fn next_occupied(&self) -> Option<usize> {
        let start = self.first as usize % BUCKETS;
        let words = self.occupied.len();
        let (word, bit) = (start / WORD, start % WORD);
        let ahead = self.occupied[word] >> bit << bit;
        if ahead != 0 {
            return Some(word * WORD + ahead.trailing_zeros() as usize);
        }
        (1..=words).find_map(|step| {
            let at = (word + step) % words;
            let bits = if step == words {
                self.occupied[at] & !(u64::MAX << bit)
            } else {
                self.occupied[at]
            };
            (bits != 0).then(|| at * WORD + bits.trailing_zeros() as usize)
        })
    }

    /// Moves the events of `later` that now fall within the buckets.
    fn move_from_later(&mut self) {
        let end = self.first + BUCKETS as u64;
        while let Some(&Reverse((time, id))) = self.later.peek() {
            if time >> self.width >= end {
                break;
            }
            self.later.pop();
            self.push(time, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::DeterministicRng;

    #[test]
    fn events_are_popped_in_the_order_of_a_binary_heap() {
        for (seed, horizon) in [(1, 1), (2, 600), (3, 21_600), (4, 1_000_000)] {
            let mut rng = DeterministicRng::new(seed);
            let mut queue = CalendarQueue::new(horizon);
            let mut heap = BinaryHeap::new();
            let mut now = 0;
            for step in 0..20_000_u64 {
                if step < 50 || rng.below(2) == 0 {
                    let far = if rng.below(20) == 0 { 50_000_000 } else { horizon };
                    let (time, id) = (now + rng.below(far + 1), rng.below(100) as u32);
                    queue.push(time, id);
                    heap.push(Reverse((time, id)));
                } else {
                    let expected = heap.pop().map(|Reverse(earliest)| earliest);
                    assert_eq!(queue.pop(), expected);
                    now = expected.map_or(now, |(time, _)| time);
                }
            }
        }
    }
}
