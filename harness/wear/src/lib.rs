//! Flash wear: counts the flash operations that leases cause, and computes the life of the flash in years.
//!
//! | item | purpose |
//! |---|---|
//! | [`Household`], [`HouseholdRun`], [`simulate()`] | clients, phones, guests, reboots and power cuts; a discrete-event simulation from a seed, with [`dnsmasq_model::Server`] |
//! | [`Workload`], [`Source`] | lists of events from recordings and scenarios |
//! | [`RouterPreset`] | well-known routers |
//! | [`LeaseStore`] | the interface between the simulated dnsmasq and a script with its store |
//! | [`CountingStore`] | a store that counts calls without executing them, with the costs of a [`CostModel`] |
//! | [`ExecutingStore`] | a store that executes every call on a [`backend::Backend`], with the same counts |
//! | [`WearCounts`], [`YearlyWear`] | the counts, the yearly rates, and the life of the flash |
//! | [`Study`] | the same workloads on several routers, builds and scripts |
//! | [`FleetSpec`], [`Fleet`] | many households from one seed; parts can be counted separately and merged |
//!
//! # Assumptions
//!
//! - A block is worn out when it has been erased as often as its chip is rated for ([`Chip::endurance`]). All blocks
//!   have the same rating, and nothing else erases them.
//! - Erase and program times are typical values of the chip. Commits do not overlap and take no simulated time.
//! - The fatal window of a commit is the time from the first to the last operation on the stored image: a power cut in
//!   this window loses all settings, not only leases. Power cuts are independent of commits.
//! - A month has 30 days, and a year has 365 days.
//!
//! [`Chip::endurance`]: nvram_emu::device::Chip::endurance

#![forbid(unsafe_code)]

mod answer;
mod calendar_queue;
mod charts;
mod claims;
mod command_counts;
mod commit_cost;
mod cost_model;
mod count;
mod counting_store;
mod cross_check;
mod dhcp;
mod durations;
mod error;
mod executing_store;
mod fan_out;
mod fleet;
mod fleet_spec;
mod fleet_table;
mod household;
mod household_run;
mod image_builder;
mod lease_store;
mod limits;
mod machine_readable;
mod router;
mod router_preset;
mod script;
mod simulate;
mod source;
mod study;
mod table;
mod wear_counts;
mod workload;
mod yearly_wear;

pub use charts::{ChartError, Charts, Curve, MAX_LINES};
pub use claims::{Claim, claims, claims_table};
pub use command_counts::CommandCounts;
pub use commit_cost::CommitCost;
pub use cost_model::{CostModel, CostModelError};
pub use count::{HouseholdWear, count, count_each, count_executed, count_images, count_workload};
pub use counting_store::CountingStore;
pub use cross_check::{CrossCheck, CrossCheckSpec, InProcessCount, cross_check_table};
pub use durations::{DAY, HOUR, YEAR};
pub use error::WearError;
pub use executing_store::ExecutingStore;
pub use fleet::{Fleet, FleetEntry, FleetPlan, MergeError, ScriptCounts};
pub use fleet_spec::FleetSpec;
pub use household::{Household, HouseholdError};
pub use household_run::HouseholdRun;
pub use image_builder::{ImageBuilder, ImageMode, ImagesUnsupported, RecordFields};
pub use lease_store::{LeaseStore, SimulationError};
pub use limits::Limits;
pub use machine_readable::{csv, json};
pub use router::RouterSpec;
pub use router_preset::RouterPreset;
pub use script::{Script, builtin_script};
pub use simulate::simulate;
pub use source::{Source, recordings, scenario};
pub use study::{Calls, Method, RowResult, Simulation, Study, StudyRow, Unsupported, build_name};
pub use table::table;
pub use trace::{Workload, WorkloadEvent};
pub use wear_counts::{BINS, WearCounts};
pub use yearly_wear::YearlyWear;
