//! `leaselab wear`.

mod claims;
mod command;
mod count;
mod fleet;
mod household;
mod merge;
mod router;
mod source;
mod study;
mod trial;

pub(super) use command::{Args, run};
