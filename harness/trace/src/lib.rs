//! Recorded traces of real dnsmasq runs, and the checker that holds the engine against them.
//!
//! A recording is a folder with `meta.json`, `stimuli.jsonl` (one thing done per line) and `calls.jsonl` (one script
//! call per line). [`check`] drives [`dnsmasq_model::Engine`] with the stimuli, and compares every call: arguments,
//! variables, sequence number, both clocks, and whether the call changed what the recorder's store keeps.
//!
//! What goes in and what is only compared is told by [`CARRIED`].

mod check;
mod diff;
mod from_journal;
pub mod import;
mod input;
mod read;
mod report;
mod store;
mod testbed;
mod workload;

pub use check::{CARRIED, Outcome, Strictness, check};
pub use diff::Mismatch;
pub use from_journal::{
    Cost, Generation, SiteEvent, SiteHistory, SiteKind, Who, from_journal, generations, message,
    server_of, stimuli, workload,
};
pub use read::{
    Answer, Bytes, Call, IaRecord, Meta, Recording, Stimulus, TraceError, Vendor, find,
};
pub use report::Report;
pub use store::Store;
pub use workload::{Workload, WorkloadEvent};
