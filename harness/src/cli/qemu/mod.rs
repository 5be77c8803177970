//! `leaselab qemu`: router images, and scenarios in them.

mod build;
mod command;
mod run;
mod shell;

#[cfg(test)]
pub(super) use command::Command;
pub(super) use command::{Args, run};
