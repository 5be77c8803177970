//! Exploration of a lease script's failures.
//!
//! [`crash`] injects power cuts and kills at every point of a scenario, [`fuzz`] plays random households, and [`races`]
//! lets two processes use one NVRAM in every order.

#![forbid(unsafe_code)]

pub mod crash;
pub mod fuzz;
pub mod races;
