//! `leaselab device`: creates and inspects device folders for the emulated `nvram` tool.

mod command;
mod create;
mod dialects;
mod show;

pub(super) use command::{Args, run};
