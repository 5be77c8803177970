//! `leaselab qemu`: router images, and scenarios in them.

mod build;
mod command;
mod run;

pub(super) use command::{Args, run};
