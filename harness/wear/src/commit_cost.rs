//! What one commit costs, and how many commands a call takes.

use std::ops::Range;

use nvram_emu::device::{Chip, Geometry, Op, OpKind};

/// The cost of the flash operations of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCost {
    /// Erases of each block.
    pub erases: Vec<u32>,
    /// Bytes programmed.
    pub programmed: u64,
    /// Time spent erasing, microseconds.
    pub erasing: u64,
    /// Time spent programming, microseconds.
    pub programming: u64,
    /// From the first operation that touches the image to the last one, microseconds.
    pub fatal: u64,
}

impl CommitCost {
    /// The cost of `operations` on a flash whose image lies at `image`.
    pub fn of(operations: &[Op], geometry: Geometry, chip: Chip, image: &Range<u32>) -> Self {
        let mut price = Self {
            erases: vec![0; geometry.blocks() as usize],
            programmed: 0,
            erasing: 0,
            programming: 0,
            fatal: 0,
        };
        let touches =
            |op: &Op| op.offset < image.end && op.offset.saturating_add(op.len) > image.start;
        let first = operations.iter().position(touches);
        let last = operations.iter().rposition(touches);
        for (at, op) in operations.iter().enumerate() {
            let took = match op.kind {
                OpKind::Erase => {
                    if let Some(count) =
                        price.erases.get_mut((op.offset / geometry.erase_block) as usize)
                    {
                        *count += 1;
                    }
                    let took = chip.erase_time.as_micros() as u64;
                    price.erasing += took;
                    took
                }
                OpKind::Program => {
                    price.programmed += u64::from(op.len);
                    let took = chip.program_time(op.offset, op.len).as_micros() as u64;
                    price.programming += took;
                    took
                }
            };
            if first.is_some_and(|first| first <= at) && last.is_some_and(|last| at <= last) {
                price.fatal += took;
            }
        }
        price
    }

    /// Whether the flash is left alone.
    pub fn is_free(&self) -> bool {
        self.programmed == 0 && self.all_erases() == 0
    }

    /// Erases of all blocks.
    pub fn all_erases(&self) -> u64 {
        self.erases.iter().map(|count| u64::from(*count)).sum()
    }
}

/// How many `nvram` commands a script takes for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commands {
    /// `init` without a lease.
    pub init: u64,
    /// More for each lease that `init` prints.
    pub init_each: u64,
    /// `add` or `old` of a record that is not stored so.
    pub set: u64,
    /// `old` of a record that is.
    pub same: u64,
    /// `del` of a record that is stored.
    pub unset: u64,
    /// `del` of one that is not.
    pub absent: u64,
    /// A call about something else, such as `arp-add`.
    pub other: u64,
}
