//! The cost of one commit.

use std::ops::Range;

use nvram_emu::device::{Chip, Geometry, Op, OpKind};

/// The cost of the flash operations of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCost {
    /// Erases of each block.
    pub erases: Vec<u32>,
    /// Bytes programmed.
    pub programmed: u64,
    /// Time spent erasing, in microseconds.
    pub erasing: u64,
    /// Time spent programming, in microseconds.
    pub programming: u64,
    /// Time from the first to the last operation on the image, in microseconds.
    pub fatal: u64,
}

impl CommitCost {
    /// Computes the cost of `operations` on a flash whose image occupies the range `image`.
    pub fn of(operations: &[Op], geometry: Geometry, chip: Chip, image: &Range<u32>) -> Self {
        let mut cost = Self {
            erases: vec![0; geometry.blocks() as usize],
            programmed: 0,
            erasing: 0,
            programming: 0,
            fatal: 0,
        };
        let touches_image =
            |op: &Op| op.offset < image.end && op.offset.saturating_add(op.len) > image.start;
        let first = operations.iter().position(touches_image);
        let last = operations.iter().rposition(touches_image);
        for (at, op) in operations.iter().enumerate() {
            let time = match op.kind {
                OpKind::Erase => {
                    if let Some(count) =
                        cost.erases.get_mut((op.offset / geometry.erase_block) as usize)
                    {
                        *count += 1;
                    }
                    let time = chip.erase_time.as_micros() as u64;
                    cost.erasing += time;
                    time
                }
                OpKind::Program => {
                    cost.programmed += u64::from(op.len);
                    let time = chip.program_time(op.offset, op.len).as_micros() as u64;
                    cost.programming += time;
                    time
                }
            };
            if first.is_some_and(|first| first <= at) && last.is_some_and(|last| at <= last) {
                cost.fatal += time;
            }
        }
        cost
    }

    /// Returns whether nothing is written to the flash.
    pub fn is_zero(&self) -> bool {
        self.programmed == 0 && self.total_erases() == 0
    }

    /// Returns the erases of all blocks.
    pub fn total_erases(&self) -> u64 {
        self.erases.iter().map(|count| u64::from(*count)).sum()
    }
}
