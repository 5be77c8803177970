//! Running a scenario: its steps drive the dnsmasq engine, the engine's calls drive a target, and the
//! invariants are judged on the way.
//!
//! Nothing here prints: a case gives back a [`CaseReport`].

mod clients;
mod clocks;
mod configuration;
mod exchange;
mod expect;
mod findings;
mod lines;
mod neighbours;
mod play;
pub mod setup;
mod steps;
mod store;
mod tally;
mod text;
mod world;

pub use findings::{Finding, FindingKind};
pub use play::{CaseReport, Fault, Options, ScriptChoice, TargetKind, Verdict, run_case};
pub use tally::Tally;
