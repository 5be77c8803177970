//! Exploration of a lease script's failures: power cuts and kills, random households, interleavings.

#![forbid(unsafe_code)]

pub mod crash;
pub mod fuzz;
pub mod races;
