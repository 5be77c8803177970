//! `leaselab wear`.

mod charts;
mod claims;
mod command;
mod count;
mod fleet;
mod household;
mod list;
mod merge;
mod progress;
mod router;
mod source;
mod study;
mod trial;

pub(super) use command::{Args, run};
