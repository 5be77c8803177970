//! Lease databases of several servers, read into one form and written from it.
//!
//! | format | reader and writer | facts from |
//! |---|---|---|
//! | dhcpd.leases | [`crate::dhcpd`] | dhcpd 4.4.3-P1 |
//! | dnsmasq's lease file | [`dnsmasq`] | `read_leases` and `lease_update_file` of its lease.c |
//! | Kea's memfile, four or six | [`kea`] | `CSVLeaseFile4`, `CSVLeaseFile6`, `CSVRow` of Kea 2.2 |
//!
//! No two of them can hold the same. What a form has no place for is not dropped silently: the writers
//! count it in [`Losses`]. Names that would break a line format are refused, never written into it.

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
