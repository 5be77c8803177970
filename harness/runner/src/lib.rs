//! Running a scenario: its steps drive the dnsmasq engine, the engine's calls drive a target, and the
//! invariants are judged on the way.
//!
//! Nothing here prints: a case gives back a [`CaseReport`].

pub mod clients;
pub mod clocks;
mod configuration;
pub mod exchange;
mod expect;
mod findings;
mod journal;
pub mod lenient_log;
pub mod lines;
pub mod neighbours;
mod play;
pub mod record;
pub mod setup;
mod steps;
pub mod store;
mod tally;
mod text;
mod world;

pub use findings::{Finding, FindingKind};
pub use play::{
    CaseReport, Fault, Observers, Options, Recording, ScriptChoice, TargetKind, Verdict,
    blank_report, calls_of, command, play, record, router, router_from, run_case, try_out,
};
pub use setup::FillCache;
pub use steps::{ClientAction, build_of};
pub use tally::{Tally, call_text};
