//! Kea's memfile: comma-separated values under a header. The last row of an address counts. `expire` is `cltt` plus
//! `valid_lifetime`. A row with a lifetime of 0 removes the lease. A comma inside a value is written as `&#x2c`.
//!
//! A memfile is a journal. During a cleanup, the database consists of several files ([`siblings`]), each with its own
//! header. Rows that the server discards (`CSVLeaseFile4::next`, `CSVLeaseFile6::next`) are reported as problems. Columns
//! that the common representation cannot store are kept as [`super::Field`]s with the prefix `kea.`.

mod columns;
mod memfile;
mod number;
mod row;
mod row_table;
mod siblings;
mod writer;

pub use columns::Release;
pub use memfile::{FileReport, Memfile, Record, read};
pub use siblings::{Role, siblings, stem};
pub use writer::write;
