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
pub mod lines;
pub mod neighbours;
mod play;
pub mod probe;
pub mod record;
pub mod setup;
mod steps;
pub mod store;
mod tally;
mod text;
mod world;

pub use findings::{Finding, FindingKind};
pub use play::{
    CaseReport, Fault, Options, Recording, ScriptChoice, TargetKind, Verdict, Watch, blank_report,
    calls_of, command, play, record, router, router_from, run_case, try_out,
};
pub use setup::Shelf;
pub use steps::{Deed, build_of};
pub use tally::{Tally, call_text};
