//! The `leaselab` command: dnsmasq engine, scenarios, targets and reporters.

pub mod cli;
pub mod diagnostics;
pub mod dnsmasq;
pub mod scenario;
pub mod trace;
