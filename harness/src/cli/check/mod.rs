//! `leaselab check`: the conformance suite for any lease script, on one page.

mod command;
mod explore;
mod observations;
mod play;
mod suite;

pub(super) use command::{Args, run};
