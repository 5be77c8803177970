//! Emulated programs. Each of them makes the system calls that were observed in the real program.

mod client;
mod create;
mod dhcpd;
mod dnsmasq;
mod kea;
mod lease_update;
mod program;

pub(crate) use create::{install, program};
pub(crate) use program::{LoadResult, Program};
