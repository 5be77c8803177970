//! The `leaselab` command: dnsmasq engine, scenarios, targets and reporters.

pub mod allocator;
pub mod cli;
pub mod crash;
pub mod diagnostics;
mod digest;
pub mod dnsmasq;
pub mod fuzz;
pub mod journal;
pub mod live;
pub mod qemu;
pub mod races;
pub mod report;
pub mod run;
pub mod scenario;
pub mod suite;
pub mod target;
pub mod trace;
pub mod wear;
