//! `leaselab scenario`: scaffolding and reference of scenario files.

mod command;
mod new;

pub(super) use command::{Args, run};
