//! Every declaration of a file, in its order: what a journal tells beyond its last word.

use std::net::IpAddr;

use super::ia::Ia;
use super::input::Location;
use super::lease::Lease;

/// Which declarations to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// All of them: memory grows with the file.
    All,
    /// Those of one address, or of an association that holds it.
    Of(IpAddr),
}

/// What was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// A DHCPv4 lease.
    Lease(Box<Lease>),
    /// A DHCPv6 identity association.
    Ia(Box<Ia>),
    /// The server's own DUID, which it appends at each start.
    ServerDuid,
}

/// One declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Where it starts.
    pub location: Location,
    /// The offset at which it ends.
    pub end: u64,
    /// What it says.
    pub what: Declared,
}

impl History {
    pub(crate) fn wants_lease(self, lease: &Lease) -> bool {
        match self {
            Self::All => true,
            Self::Of(address) => address == IpAddr::V4(lease.address),
        }
    }

    pub(crate) fn wants_ia(self, ia: &Ia) -> bool {
        match self {
            Self::All => true,
            Self::Of(address) => {
                ia.addresses.iter().any(|held| IpAddr::V6(held.address) == address)
            }
        }
    }
}
