//! Emulated programs. Each makes the system calls that the real program was seen to make.

mod client;
mod create;
mod dhcpd;
mod dnsmasq;
mod kea;
mod lease_update;
mod program;

pub(crate) use create::{install, program};
pub use program::{Found, Program};
