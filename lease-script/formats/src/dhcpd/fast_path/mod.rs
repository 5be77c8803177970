//! The fast path for well-formed leases.
//!
//! It accepts a record only if dhcpd's own parser would read it with the same result and without a diagnostic. All other
//! records, even valid ones, are left to that parser.

mod lease;
mod prefetch;
mod reader;
mod scan;

pub(crate) use lease::Record;
pub(crate) use prefetch::prefetch;
pub(crate) use reader::run;
