//! Who does something next: a calendar queue.
//!
//! A binary heap answers the same, but a household's events lie evenly within a lease time, and then buckets of equal
//! width hold one or two each: finding, taking and adding one cost a few steps whatever the number of clients.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const BUCKETS: usize = 1024;
const WORD: usize = 64;

/// Moments with who they belong to; given out by moment, then by who.
#[derive(Debug)]
pub(super) struct CalendarQueue {
    /// Seconds of a bucket are 2 to the power of this.
    width: u32,
    /// Bucket of the earliest moment that there can be, counted from moment 0.
    first: u64,
    buckets: Vec<Vec<(u64, u32)>>,
    /// Which buckets hold something.
    full: [u64; BUCKETS / WORD],
    /// Moments beyond the last bucket.
    later: BinaryHeap<Reverse<(u64, u32)>>,
}

impl CalendarQueue {
    /// An empty calendar_queue, quickest where most moments lie within `horizon` seconds of the earliest.
    pub(super) fn new(horizon: u64) -> Self {
        let width = horizon.div_ceil(BUCKETS as u64 / 2).max(1).next_power_of_two().ilog2();
        Self {
            width,
            first: 0,
            buckets: vec![Vec::new(); BUCKETS],
            full: [0; BUCKETS / WORD],
            later: BinaryHeap::new(),
        }
    }

    /// Adds a moment, none of them before the last one taken.
    pub(super) fn push(&mut self, moment: u64, who: u32) {
        let bucket = moment >> self.width;
        if bucket >= self.first + BUCKETS as u64 {
            self.later.push(Reverse((moment, who)));
            return;
        }
        let place = bucket as usize % BUCKETS;
        self.buckets[place].push((moment, who));
        self.full[place / WORD] |= 1 << (place % WORD);
    }

    /// Takes the earliest moment.
    pub(super) fn pop(&mut self) -> Option<(u64, u32)> {
        let Some(place) = self.next_full() else {
            let Reverse((moment, who)) = self.later.pop()?;
            self.first = moment >> self.width;
            self.fetch();
            return Some((moment, who));
        };
        let passed = (place + BUCKETS - self.first as usize % BUCKETS) % BUCKETS;
        if passed > 0 {
            self.first += passed as u64;
            // What comes closer lies behind all that is in the buckets, or in the last of them.
            self.fetch();
        }
        let bucket = &mut self.buckets[place];
        let at = (0..bucket.len()).min_by_key(|at| bucket[*at])?;
        let earliest = bucket.swap_remove(at);
        if bucket.is_empty() {
            self.full[place / WORD] &= !(1 << (place % WORD));
        }
        Some(earliest)
    }

    /// The first bucket that holds something, from the first one on, round the end.
    fn next_full(&self) -> Option<usize> {
        let start = self.first as usize % BUCKETS;
        let words = self.full.len();
        let (word, bit) = (start / WORD, start % WORD);
        let ahead = self.full[word] >> bit << bit;
        if ahead != 0 {
            return Some(word * WORD + ahead.trailing_zeros() as usize);
        }
        (1..=words).find_map(|step| {
            let at = (word + step) % words;
            let bits =
                if step == words { self.full[at] & !(u64::MAX << bit) } else { self.full[at] };
            (bits != 0).then(|| at * WORD + bits.trailing_zeros() as usize)
        })
    }

    /// Moves what is within reach now into the buckets.
    fn fetch(&mut self) {
        let reach = self.first + BUCKETS as u64;
        while let Some(&Reverse((moment, who))) = self.later.peek() {
            if moment >> self.width >= reach {
                break;
            }
            self.later.pop();
            self.push(moment, who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenario::DeterministicRng;

    #[test]
    fn moments_come_in_order_as_from_a_heap() {
        for (seed, horizon) in [(1, 1), (2, 600), (3, 21_600), (4, 1_000_000)] {
            let mut dice = DeterministicRng::new(seed);
            let mut calendar_queue = CalendarQueue::new(horizon);
            let mut heap = BinaryHeap::new();
            let mut now = 0;
            for step in 0..20_000_u64 {
                if step < 50 || dice.below(2) == 0 {
                    let far = if dice.below(20) == 0 { 50_000_000 } else { horizon };
                    let (moment, who) = (now + dice.below(far + 1), dice.below(100) as u32);
                    calendar_queue.push(moment, who);
                    heap.push(Reverse((moment, who)));
                } else {
                    let expected = heap.pop().map(|Reverse(earliest)| earliest);
                    assert_eq!(calendar_queue.pop(), expected);
                    now = expected.map_or(now, |(moment, _)| moment);
                }
            }
        }
    }
}
