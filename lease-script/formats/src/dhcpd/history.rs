//! Selection of earlier declarations of a journal.

use std::net::IpAddr;

use super::ia::Ia;
use super::input::Location;
use super::lease::Lease;

/// Which declarations to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// All declarations. Memory use grows with the file.
    All,
    /// The declarations of one address, or of an identity association that contains it.
    Of(IpAddr),
}

/// The contents of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// A DHCPv4 lease.
    Lease(Box<Lease>),
    /// A DHCPv6 identity association.
    Ia(Box<Ia>),
    /// The DUID of the server, which dhcpd appends at each start.
    ServerDuid,
}

/// One declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The start of the declaration.
    pub location: Location,
    /// The offset of its end.
    pub end: u64,
    /// The contents of the declaration.
    pub what: Declared,
}

impl History {
    /// Returns whether a declaration is selected.
    pub(crate) fn wants(self, what: &Declared) -> bool {
        match what {
            Declared::Lease(lease) => self.wants_lease(lease),
            Declared::Ia(ia) => self.wants_ia(ia),
            Declared::ServerDuid => true,
        }
    }

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
