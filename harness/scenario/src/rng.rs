//! Pseudo-random numbers that are the same on every machine.

use rand::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

/// A generator whose output depends only on the seed, so that a reproduction id needs only the seed.
///
/// It is PCG-64 MCG, which `rand_pcg` keeps stable across versions. It generates only integers, because the last bit of
/// a floating-point result may differ between math libraries.
#[derive(Clone, Debug)]
pub struct DeterministicRng(Pcg64Mcg);

impl DeterministicRng {
    /// Creates a generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Returns a uniformly distributed number from 0 to `n - 1`, or 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Returns a uniformly distributed number from `from` to `to`, inclusive.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Returns a uniformly distributed number from half of `mean` to one and a half times `mean`, but at least 1.
    pub fn around(&mut self, mean: u64) -> u64 {
        self.between(mean / 2, mean + mean / 2).max(1)
    }
}
