//! Scenarios: the TOML format, its reader and its JSON schema.
//!
//! [`load`] reads a file and creates its [`Case`]s. A case is a [`Scenario`] with one value for each of its parameters,
//! and has a list of [`Step`]s. An [`Id`] identifies a case and the faults that are injected into it.

#![forbid(unsafe_code)]

mod actions;
mod bound;
mod case;
mod compatibility;
mod condition;
mod configure;
pub mod diagnostics;
pub mod digest;
mod disturbance;
mod examples;
mod expect;
mod expectations;
mod fault_point;
mod group;
mod id_error;
mod invariant;
mod journal_lab;
mod known_keys;
mod load;
mod network;
mod overrides;
mod parameters;
mod persistent;
mod point;
mod quantity;
mod raw_step;
mod reference;
mod reproduction;
mod rng;
mod router;
mod scenario;
mod schema;
mod script;
mod server;
mod step;
mod substitution;
mod suitability;
mod units;
mod unspanned;
mod write;

pub use actions::{Boot, ClientEvent, DaemonAction, Damage, Join, Journal, Memory, RawCall, V6};
pub use bound::Bound;
pub use case::{Case, ImposedSetting};
pub use compatibility::{BackendKind, Incompatibility, NeedsNvram};
pub use condition::Condition;
pub use configure::Configure;
pub use disturbance::{Disturbance, DisturbanceError};
pub use expect::{Expect, NumberRange, ReplyKind};
pub use fault_point::{FaultPoint, ScheduledFault};
pub use group::Group;
pub use id_error::IdError;
pub use invariant::Invariant;
pub use journal_lab::{CallWindow, DiskFaults, JournalLab, JournalLosses, Loss, Strategy};
pub use known_keys::did_you_mean;
pub use load::{Loaded, MAX_FILE_BYTES, Unsuited, cases, load};
pub use network::OtherNetwork;
pub use overrides::Overrides;
pub use persistent::{FilledFolder, PersistentFolder, Unsynced};
pub use point::{Point, PointError, Side};
pub use quantity::quantity;
pub use reference::reference;
pub use reproduction::{Id, IdParameters};
pub use rng::DeterministicRng;
pub use router::{Router, Rtc, Store};
pub use scenario::{Breaks, Claim, Forgiven, Scenario};
pub use schema::json_schema;
pub use script::Script;
pub use server::{LeaseFile, LongIds, Server};
pub use step::{Action, CallDisturbance, ClientMessage, Repeat, Step};
pub use suitability::Unsuitability;
pub use units::{BootClock, Bytes, LeaseTime, Moment, Parameters, Scalar, Seconds, UnitError};
pub use unspanned::unspanned;
pub use write::to_toml;
