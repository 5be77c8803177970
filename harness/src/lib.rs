//! The `leaselab` command: command line, choice of cases and back ends, reports.

#[macro_use]
mod console;

pub mod allocator;
pub mod builtin;
pub mod cli;
pub mod conformance;
pub mod error;
pub mod exit;
pub mod process_role;
pub mod report;
pub mod run_case;
pub mod sample;
mod shown;
mod style;
pub mod suite;
pub mod words;
