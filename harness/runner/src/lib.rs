//! Plays a scenario: its steps drive the dnsmasq engine, the engine's script calls go to a back end, and a judge checks
//! the invariants and the scenario's expectations.
//!
//! Nothing here prints: a case returns a [`CaseReport`].
//!
//! | file | what it holds |
//! |---|---|
//! | `play.rs`, `run.rs` | one case from its setup to its report |
//! | `steps.rs`, `expect.rs` | the actions of steps, and their expectations |
//! | `session.rs`, `dnsmasq_events.rs` | a case while it is played, and what happens to its dnsmasq |
//! | `judge.rs`, `demands.rs`, `expected.rs` | the invariants, what may be demanded at the moment, and what must be stored |
//! | `comparison.rs`, `daemon_answers.rs` | a real dnsmasq compared with the engine, if the back end has one |
//! | `observers.rs`, `history.rs`, `tally.rs`, `recorder.rs` | logs, counts and snapshots |

#![forbid(unsafe_code)]

mod action;
mod bound;
mod call_log;
mod case_error;
mod client_ids;
pub mod clients;
pub mod clocks;
mod comparison;
mod configuration;
mod daemon_answers;
mod damage;
mod demands;
mod dnsmasq_events;
mod dnsmasq_signals;
mod engine_leases;
mod escapes;
mod evidence;
pub mod exchange;
mod expect;
pub mod expected;
mod file_log;
mod fill;
mod finding;
mod finding_kind;
mod findings;
mod free_space;
mod gate_policy;
mod history;
pub mod init_output;
mod journal;
mod judge;
mod judge_rules;
pub mod lease_line;
pub mod lenient_log;
pub mod lines;
pub mod nvram_state;
mod observers;
mod options;
mod owned_variables;
mod pending_signals;
mod planned_fault;
mod play;
pub mod recorder;
mod recording;
mod refusal;
mod report;
mod router;
mod run;
mod script;
mod session;
pub mod setup;
mod severity;
mod steps;
mod storage;
mod tally;

pub use action::ClientAction;
pub use call_log::{call_lines, command_text, environment_lines, stderr_lines};
pub use case_error::{CaseError, InProcessError};
pub use configuration::{build_of, check_server};
pub use escapes::show;
pub use evidence::{CallRecord, Evidence};
pub use fill::FillCache;
pub use finding::{Finding, shape};
pub use finding_kind::FindingKind;
pub use gate_policy::GatePolicy;
pub use history::{DaemonEvent, Event, EventKind, History};
pub use observers::Observers;
pub use options::{InitCalls, Options, ScriptExecution};
pub use owned_variables::{NamePattern, OwnedVariables};
pub use play::play;
pub use recording::{Recording, calls_of, record};
pub use report::{CaseReport, Verdict, blank_report};
pub use run::{run_case, run_on_machine};
pub use script::{ScriptChoice, check_environment, command, runs_in_process};
pub use setup::{router, router_from};
pub use severity::Severity;
pub use tally::{Tally, call_text, end_text};
