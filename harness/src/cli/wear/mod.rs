//! `leaselab wear`.

mod charts;
mod claims;
mod command;
mod count;
mod cross_check;
mod fleet;
mod household;
mod list;
mod merge;
mod progress;
mod router;
mod source;
mod study;

pub(super) use command::{Args, run};
