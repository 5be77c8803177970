//! What a household cost.

use nvram_emu::device::Op;
use serde::{Deserialize, Serialize};

use super::commit_cost::CommitCost;

/// Parts of the simulated time in which erases are counted apart, for a chart. Their number never grows.
pub const BINS: usize = 60;

/// Counts over a simulated time. All are whole numbers, so that sums do not depend on their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wear {
    /// Simulated seconds.
    pub seconds: u64,
    /// Script calls, `init` included.
    pub calls: u64,
    /// Script calls that ended with anything but 0: the NVRAM had no room.
    pub failed: u64,
    /// Settings of other programs that are gone from the flash at the end.
    pub lost: u64,
    /// `nvram` commands of the script.
    pub commands: u64,
    /// Commits that touched the flash.
    pub commits: u64,
    /// Erases of each block.
    pub erases: Vec<u64>,
    /// Bytes programmed.
    pub programmed: u64,
    /// Bytes of the variables that were set to something new, or taken away.
    pub payload: u64,
    /// Time spent erasing, microseconds.
    pub erasing: u64,
    /// Time spent programming, microseconds.
    pub programming: u64,
    /// Time in which a power cut takes all settings along, microseconds.
    pub fatal: u64,
    /// Erases in each of [`BINS`] equal parts of the time.
    pub bins: Vec<u64>,
}

impl Wear {
    /// Unsupported yet, of a flash with so many blocks.
    pub fn new(blocks: usize, seconds: u64) -> Self {
        Self {
            seconds,
            calls: 0,
            failed: 0,
            lost: 0,
            commands: 0,
            commits: 0,
            erases: vec![0; blocks],
            programmed: 0,
            payload: 0,
            erasing: 0,
            programming: 0,
            fatal: 0,
            bins: vec![0; BINS],
        }
    }

    /// The part of the time that a second belongs to.
    pub fn bin(&self, second: u64) -> usize {
        let part = u128::from(second) * BINS as u128 / u128::from(self.seconds.max(1));
        (part as usize).min(BINS - 1)
    }

    /// Adds `count` commits of one price; the bins are not touched.
    pub fn pay(&mut self, price: &CommitCost, count: u64) {
        if price.is_free() {
            return;
        }
        self.commits += count;
        for (total, erases) in self.erases.iter_mut().zip(&price.erases) {
            *total += u64::from(*erases) * count;
        }
        self.programmed += price.programmed * count;
        self.erasing += price.erasing * count;
        self.programming += price.programming * count;
        self.fatal += price.fatal * count;
    }

    /// Adds the flash operations of one call.
    pub fn operations(&mut self, price: &CommitCost, operations: &[Op], second: u64) {
        if !operations.is_empty() {
            self.pay(price, 1);
            let bin = self.bin(second);
            self.bins[bin] += price.all_erases();
        }
    }

    /// Erases of the block that is erased most.
    pub fn busiest(&self) -> u64 {
        self.erases.iter().copied().max().unwrap_or(0)
    }

    /// Bytes programmed for each byte that had to change; 0 where nothing had to.
    pub fn amplification(&self) -> f64 {
        if self.payload == 0 { 0.0 } else { self.programmed as f64 / self.payload as f64 }
    }
}
