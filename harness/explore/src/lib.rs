//! Exploration of a lease script's failures: power cuts and kills, random households, interleavings.

pub mod crash;
pub mod fuzz;
pub mod races;
