//! Lease databases of DHCP servers: [`dhcpd`] reads and writes ISC dhcpd's journal, [`exchange`] converts between it,
//! dnsmasq's lease file and Kea's memfile.

#![forbid(unsafe_code)]

pub mod dhcpd;
pub mod exchange;
pub mod hex;

mod address_hasher;
mod limits;

pub use limits::{MAX_JSON_BYTES, read_json};
