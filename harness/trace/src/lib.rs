//! Recordings of real dnsmasq runs, and a check that the engine makes the same script calls.
//!
//! A recording is a folder with `meta.json`, `stimuli.jsonl` (one input of dnsmasq per line) and `calls.jsonl` (one
//! script call per line). A `.tar.xz` archive can contain many recordings. [`check`] drives [`dnsmasq_model::Engine`]
//! with the stimuli and compares every call: arguments, variables, sequence number, both clocks, and whether the call
//! changed a stored variable. [`ENGINE_INPUTS`] lists the fields of a recording that are inputs of the engine and are
//! not compared.
//!
//! Recordings also come from routers ([`import`]), and from lease databases of ISC dhcpd and Kea ([`from_journal`]).

#![forbid(unsafe_code)]

mod archive;
mod byte_string;
mod check;
mod check_result;
mod compare;
mod diff;
mod driver;
mod error;
mod from_journal;
pub mod import;
mod input;
mod read;
mod recorder_store;
mod recording;
mod report;
mod stimulus_error;
mod testbed;
mod workload;

pub use byte_string::ByteString;
pub use check::check;
pub use check_result::{CheckResult, ENGINE_INPUTS, Strictness};
pub use diff::Mismatch;
pub use error::TraceError;
pub use from_journal::{
    Generation, SiteClient, SiteEvent, SiteEventKind, SiteHistory, WriteCost, from_journal,
    generations, message, server_of, stimuli, workload,
};
pub use read::{find, is_archive, read_archive};
pub use recorder_store::{InitOrder, StoreMode};
pub use recording::{Answer, Call, IaRecord, Meta, RecordedClock, Recording, Stimulus, Vendor};
pub use report::Report;
pub use stimulus_error::StimulusError;
pub use workload::{Workload, WorkloadEvent};
