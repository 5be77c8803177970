//! The contents of a lease file.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::dhcpd::history::Declaration;
use crate::dhcpd::ia::IaTable;
use crate::dhcpd::ia_kind::IaKind;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::Date;
use crate::dhcpd::non_lease::NonLeases;
use crate::dhcpd::table::LeaseTable;

/// The protocol of a lease file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    /// DHCPv4: `lease` declarations.
    #[default]
    V4,
    /// DHCPv6: `ia-na`, `ia-ta` and `ia-pd` declarations.
    V6,
}

/// The byte order of the server that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// `little-endian`, the byte order of nearly all servers.
    Little,
    /// `big-endian`.
    Big,
}

/// The state of a failover peer in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerState {
    pub(crate) mine: Keyword,
    pub(crate) since: Date,
    pub(crate) mclt: Option<i64>,
}

/// The numbers of declarations in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Accepted declarations of leases and identity associations.
    pub declarations: u64,
    /// Rejected declarations of leases and identity associations.
    pub rejected: u64,
    /// Unknown statements at the top level.
    pub corrupt: u64,
    /// Declarations of hosts, groups, classes and failover states.
    pub non_leases: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, more: Self) {
        self.declarations += more.declarations;
        self.rejected += more.rejected;
        self.corrupt += more.corrupt;
        self.non_leases += more.non_leases;
    }
}

/// Everything read from a file.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) leases: LeaseTable,
    pub(crate) ias: IaTable,
    pub(crate) counts: Counts,
    pub(crate) server_duid: Option<Vec<u8>>,
    pub(crate) byte_order: Option<ByteOrder>,
    /// The states of failover peers by name.
    pub(crate) peers: BTreeMap<Vec<u8>, PeerState>,
    /// The declarations that the rules select.
    pub(crate) history: Vec<Declaration>,
    /// Hosts, groups, classes, failover states.
    pub(crate) non_leases: NonLeases,
    /// The numbers of values and statements lost in the last declaration of each record.
    pub(crate) lost_statements: BTreeMap<Subject, u32>,
    /// The number of values and statements lost in other declarations.
    pub(crate) lost_outside_records: u64,
}

/// The key of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Lease(Ipv4Addr),
    Association(IaKind, Vec<u8>),
}

impl Contents {
    /// Records how many values and statements the last declaration of a record lost.
    pub(crate) fn record_lost_statements(&mut self, lost: u32, subject: impl FnOnce() -> Subject) {
        if lost > 0 {
            self.lost_statements.insert(subject(), lost);
        } else if !self.lost_statements.is_empty() {
            self.lost_statements.remove(&subject());
        }
    }
}
