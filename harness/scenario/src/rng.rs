//! Chance that is the same on every machine.

use rand::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

/// PCG-64 MCG, and draws of whole numbers only: no floating point, whose last bit differs between libraries.
#[derive(Clone, Debug)]
pub struct DeterministicRng(Pcg64Mcg);

impl DeterministicRng {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Evenly from 0 to `n - 1`; 0 where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Evenly from `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Evenly from half the mean to one and a half of it, at least 1.
    pub fn around(&mut self, mean: u64) -> u64 {
        self.between(mean / 2, mean + mean / 2).max(1)
    }
}
