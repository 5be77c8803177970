//! `leaselab leases`: lease databases of DHCP servers.

mod check;
mod clock;
mod command;
mod compact;
mod convert;
mod diff;
mod filter;
mod history;
mod input_options;
mod json_reader;
mod json_writer;
mod loaded;
mod open_file;
mod opened;
mod print;
mod recover;
mod rewrite;
mod show;
mod stats;
mod table;
mod text;

pub(super) use command::{Args, run};
