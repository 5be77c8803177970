//! `leaselab leases`: lease databases of dhcpd, dnsmasq and Kea.

mod check;
mod clock;
mod command;
mod compact;
mod convert;
mod diff;
mod filter;
mod history;
mod json;
mod load;
mod print;
mod recover;
mod rewrite;
mod show;
mod stats;

pub(super) use command::{Args, run};
