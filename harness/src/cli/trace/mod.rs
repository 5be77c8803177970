//! `leaselab trace`: recordings of real dnsmasq runs.

mod check;
mod command;
mod from_journal;
mod import;
mod replay;
mod site;

pub(super) use command::{Args, run};
pub(super) use site::{cost_line, read_events, seconds};
