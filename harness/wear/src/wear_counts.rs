//! Counts of flash operations and script calls.

use nvram_emu::device::Op;
use serde::{Deserialize, Serialize};

use super::commit_cost::CommitCost;

/// The number of equal parts of the simulated time. Erases are counted separately in each part, for a chart.
pub const BINS: usize = 60;

/// Counts over a simulated time. All are integers, so that sums do not depend on the order of addition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WearCounts {
    /// Simulated seconds.
    pub seconds: u64,
    /// Script calls, `init` included.
    pub calls: u64,
    /// Script calls with an exit code other than 0, because the NVRAM had no space.
    pub failed: u64,
    /// Requests of clients that got no address because all addresses were leased.
    pub unserved: u64,
    /// Settings of other programs that are missing or changed in the flash at the end.
    pub lost: u64,
    /// `nvram` commands that the script executed.
    pub commands: u64,
    /// Commits that wrote to the flash.
    pub commits: u64,
    /// Erases of each block.
    pub erases: Vec<u64>,
    /// Bytes programmed.
    pub programmed: u64,
    /// Bytes of the variables that were added, changed or removed.
    pub payload: u64,
    /// Time spent erasing, in microseconds.
    pub erasing: u64,
    /// Time spent programming, in microseconds.
    pub programming: u64,
    /// Time during which a power cut loses all settings, in microseconds.
    pub fatal: u64,
    /// Erases in each of [`BINS`] equal parts of the time.
    pub bins: Vec<u64>,
}

impl WearCounts {
    /// Creates zero counts for a flash with `blocks` erase blocks, over `seconds` of simulated time.
    pub fn new(blocks: usize, seconds: u64) -> Self {
        Self {
            seconds,
            calls: 0,
            failed: 0,
            unserved: 0,
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

    /// Returns the index in `bins` of a second of the simulated time.
    pub fn bin(&self, second: u64) -> usize {
        let bin = u128::from(second) * BINS as u128 / u128::from(self.seconds.max(1));
        (bin as usize).min(BINS - 1)
    }

    /// Adds `count` commits of the same cost. Does not update `bins`.
    pub(crate) fn add_commits(&mut self, cost: &CommitCost, count: u64) {
        if cost.is_zero() {
            return;
        }
        self.commits += count;
        for (total, erases) in self.erases.iter_mut().zip(&cost.erases) {
            *total += u64::from(*erases) * count;
        }
        self.programmed += cost.programmed * count;
        self.erasing += cost.erasing * count;
        self.programming += cost.programming * count;
        self.fatal += cost.fatal * count;
    }

    /// Adds the flash operations of one call and their cost.
    pub(crate) fn add_operations(&mut self, cost: &CommitCost, operations: &[Op], second: u64) {
        if !operations.is_empty() {
            self.add_commits(cost, 1);
            let bin = self.bin(second);
            self.bins[bin] += cost.total_erases();
        }
    }

    /// Returns the erases of all blocks.
    pub fn total_erases(&self) -> u64 {
        self.erases.iter().sum()
    }

    /// Returns the erases of the block with the most erases.
    pub fn max_erases(&self) -> u64 {
        self.erases.iter().copied().max().unwrap_or(0)
    }

    /// Returns the bytes programmed for each byte of `payload`, or 0 if there is no payload.
    pub(crate) fn amplification(&self) -> f64 {
        if self.payload == 0 { 0.0 } else { self.programmed as f64 / self.payload as f64 }
    }
}
