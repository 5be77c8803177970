//! `leaselab init`: a project file and a job for continuous integration.

mod ci;
mod command;

pub(super) use command::{Args, run};
