//! Conversion between the lease databases of several servers.
//!
//! | format | reader and writer | source |
//! |---|---|---|
//! | dhcpd.leases | [`crate::dhcpd`] | dhcpd 4.4.3-P1 |
//! | dnsmasq's lease file | [`dnsmasq`] | `read_leases` and `lease_update_file` of its lease.c |
//! | Kea's memfile, four or six | [`kea`] | `CSVLeaseFile4`, `CSVLeaseFile6`, `CSVRow` of Kea 2.2 |
//!
//! Each format can store something that others cannot. The writers count what they leave out in [`Losses`]. Host names
//! that would break a line format are left out.

pub mod dnsmasq;
pub mod dnsmasq_line;
pub mod kea;

mod database;
mod format;
mod lines;
mod losses;

pub use database::{Binding, Database};
pub use format::{Format, detect_format};
pub use lines::{LONGEST_LINE, Problem};
pub use losses::Losses;
