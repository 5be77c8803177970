//! The fast path through well-formed leases.
//!
//! It accepts a record only when dhcpd's own parser would read it to the same effect and without a diagnostic. Anything
//! else, however legal, is left to that parser.

mod lease;
mod prefetch;
mod reader;
mod scan;

pub(crate) use lease::Record;
pub(crate) use prefetch::prefetch;
pub(crate) use reader::run;
