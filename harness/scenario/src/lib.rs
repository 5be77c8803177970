//! Scenarios: the TOML format, its reader, its JSON schema.

pub mod diagnostics;
pub mod digest;
mod disturbance;
mod journal_lab;
mod load;
mod model;
mod point;
mod reproduction;
mod rng;
mod schema;
mod store;
mod units;
mod write;

pub use disturbance::Disturbance;
pub use journal_lab::{Loss, Strategy};
pub use load::{Case, MAX_CASES, MAX_FILE_BYTES, Overrides, Parameters, cases};
pub use model::{
    Between, Boot, Breaks, CallWindow, Claim, ClientEvent, DaemonAction, Damage, Expect, Forgiven,
    Invariant, Join, Journal, JournalLab, JournalLosses, LongIds, Memory, RawCall, ReplyKind,
    Router, Rtc, Scenario, Script, Server, Step, Store, V6,
};
pub use point::{Point, Side};
pub use reproduction::{FaultPoint, Id, IdError, ScheduledFault};
pub use rng::DeterministicRng;
pub use schema::json_schema;
pub use units::{BootClock, Bytes, LeaseTime, Moment, Scalar, Seconds};
pub use write::to_toml;
