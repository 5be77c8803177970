//! The command line. Each command has a separate file with its arguments and a `run` function.

mod check;
mod claims;
mod color;
mod command;
mod completions;
mod crash;
mod device;
mod dnsmasq;
mod examples;
mod fuzz;
mod init;
mod leases;
mod live;
mod man;
mod options;
mod play;
mod project;
mod qemu;
mod races;
mod replay;
mod report;
mod reproduction;
mod run;
mod scenario;
mod schema;
mod trace;
mod wear;

pub use command::main;
