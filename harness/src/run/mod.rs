//! Running a scenario: its steps drive the dnsmasq engine, the engine's calls drive a target, and the
//! invariants are judged on the way.
//!
//! Nothing here prints: a case gives back a [`CaseReport`].

pub(crate) mod clients;
pub(crate) mod clocks;
mod configuration;
pub(crate) mod exchange;
mod expect;
mod findings;
mod journal;
pub(crate) mod lines;
pub(crate) mod neighbours;
mod play;
pub(crate) mod probe;
pub(crate) mod record;
pub mod setup;
mod steps;
pub(crate) mod store;
mod tally;
mod text;
mod world;

pub use findings::{Finding, FindingKind};
pub use play::{CaseReport, Fault, Options, ScriptChoice, TargetKind, Verdict, run_case};
pub(crate) use play::{Recording, calls_of, command, record, router, router_from, try_out};
pub(crate) use setup::Shelf;
pub(crate) use steps::{Deed, build_of};
pub use tally::Tally;
pub(crate) use tally::call_text;
