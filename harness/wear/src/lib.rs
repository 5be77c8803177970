//! Flash wear: what a household costs a router's flash, counted, and told in years.
//!
//! | part | what it is |
//! |---|---|
//! | [`Household`] | who lives there: clients, phones, guests, reboots, power cuts; from a seed |
//! | [`live`] | its life, event by event, through [`dnsmasq_model::Server`] |
//! | [`Workload`] | what happens instead: a recording, a scenario, whatever becomes a list of events |
//! | [`CountingStore`] | a store that only counts: no text is made, the prices are those of a real machine |
//! | [`Rendered`] | a store of real calls: in process or in processes, whatever [`backend::Backend`] is given |
//! | [`Wear`] | the counts, the same from either |
//! | [`Life`] | counts as years |
//! | [`FleetSpec`], [`Fleet`] | many households from one seed, in parts that add up |
//!
//! # Assumptions
//!
//! - A block is worn out when it has been erased as often as its chip is rated for ([`Chip::endurance`]); blocks do not
//!   differ, and nothing else erases them.
//! - Times are the chip's typical ones. Commits do not overlap: each takes no time of the household's.
//! - The fatal window of a commit lasts from the first operation that touches the stored image to the last one: power
//!   that goes meanwhile takes all settings along, leases or not. Power cuts come independently of commits.
//! - A month has 30 days, a year 365.
//!
//! [`Chip::endurance`]: nvram_emu::device::Chip::endurance

mod calendar_queue;
mod chart;
mod claims;
mod commit_cost;
mod cost_model;
mod counting_store;
mod cross_check;
mod fan_out;
mod fleet;
mod household;
mod images;
mod life;
mod limits;
mod machine_readable;
mod rendered;
mod router;
mod simulate;
mod sources;
mod study;
mod table;
mod tally;
mod workload;

pub use chart::{Curve, MOST_LINES, NoChart, charts, one_chart};
pub use claims::{Claim, claims, claims_table};
pub use commit_cost::{Commands, CommitCost};
pub use cost_model::{CostModel, NotPriced};
pub use counting_store::CountingStore;
pub use cross_check::{Counted, CrossCheck, Trial, cross_check_table};
pub use fleet::{Counts, Fleet, FleetEntry, FleetSpec, NoWhole, Plan};
pub use household::{BadHousehold, DAY, HOUR, Household, MONTH, YEAR};
pub use images::{Fields, ImageMode, Images};
pub use life::Life;
pub use limits::Limits;
pub use machine_readable::{csv, json};
pub use rendered::Rendered;
pub use router::{RouterSpec, Script, builtin_script};
pub use simulate::{Broken, Store, live};
pub use sources::{Source, recordings, scenario};
pub use study::{
    Entry, Row, Study, Unsupported, WearError, build_name, count, count_each, count_images,
    count_rendered, count_workload,
};
pub use table::{table, years};
pub use tally::{BINS, Wear};
pub use trace::{Workload, WorkloadEvent};
