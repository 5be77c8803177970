//! Lease databases in memory.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The active leases: the end of each lease in seconds since 1970, by address.
pub(crate) type Leases = BTreeMap<Ipv4Addr, u64>;
