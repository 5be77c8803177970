//! Conversion between the lease databases of several servers.
//!
//! | format | reader | writer | source |
//! |---|---|---|---|
//! | dhcpd.leases | [`crate::dhcpd`] | [`crate::dhcpd`] | dhcpd 4.4.3-P1 |
//! | dnsmasq's lease file | [`dnsmasq`] | [`dnsmasq`] | `read_leases` and `lease_update_file` of its lease.c |
//! | Kea's memfile, DHCPv4 or DHCPv6 | [`kea`] | [`kea`] | `CSVLeaseFile4`, `CSVLeaseFile6`, `LeaseFileLoader` of Kea 2.2 and 3.0 |
//! | odhcpd's state file | [`odhcpd`] | | `dhcpv6_ia_write_statefile` of its dhcpv6-ia.c |
//! | bootpd's leases (macOS) | [`bootpd`] | | `DHCPLeases_write` of its dhcpd.c |
//! | libvirt's status file | [`libvirt`] | | `virLeaseNew` of its virlease.c |
//!
//! Each format can store data that others cannot. Data that the common representation cannot store is kept in [`Further`],
//! under the name of its format. The writers count what they leave out in [`Losses`], by field. Host names that would break
//! a line format are left out.

pub mod bootpd;
pub mod dnsmasq;
pub mod dnsmasq_line;
pub mod kea;
pub mod libvirt;
pub mod odhcpd;

mod database;
mod dhcpd_file;
mod fields;
mod format;
mod further;
mod lines;
mod losses;

pub use database::{Binding, Database};
pub use format::{Detected, Format, detect_format};
pub use further::{Field, Further};
pub use lines::{Effect, LONGEST_LINE, Problem, Read};
pub use losses::Losses;
