//! The command line. Each command has a separate file with its arguments and a `run` function.

mod check;
mod claims;
mod command;
mod crash;
mod device;
mod fuzz;
mod leases;
mod live;
mod options;
mod play;
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
