//! Encodes and decodes Ethernet frames, DHCP messages and DNS messages of simulated clients.

pub mod dhcp4;
pub mod dhcp6;
pub mod dns;
#[cfg(test)]
mod fuzz;
pub mod link;
