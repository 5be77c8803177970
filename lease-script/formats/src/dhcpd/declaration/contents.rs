//! What reading a lease file yields.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use crate::dhcpd::history::Declaration;
use crate::dhcpd::ia::IaTable;
use crate::dhcpd::ia_kind::IaKind;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::Date;
use crate::dhcpd::non_lease::NonLeases;
use crate::dhcpd::table::LeaseTable;

/// Which protocol a file is of.
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
    /// `little-endian`, as nearly all servers are.
    Little,
    /// `big-endian`.
    Big,
}

/// A failover peer's state as the file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerState {
    pub(crate) mine: Keyword,
    pub(crate) since: Date,
    pub(crate) mclt: Option<i64>,
}

/// Counts of one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Declarations of leases that were entered.
    pub declarations: u64,
    /// Declarations that were dropped.
    pub rejected: u64,
    /// Times that something unknown stood at top level.
    pub corrupt: u64,
    /// Hosts, groups, classes, failover states.
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

/// Everything that reading a file gathers.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) leases: LeaseTable,
    pub(crate) ias: IaTable,
    pub(crate) counts: Counts,
    pub(crate) server_duid: Option<Vec<u8>>,
    pub(crate) byte_order: Option<ByteOrder>,
    /// By the name of the peer.
    pub(crate) peers: Vec<(Vec<u8>, PeerState)>,
    /// What [`ParseRules::history`] asks for.
    pub(crate) history: Vec<Declaration>,
    /// Hosts, groups, classes, failover states.
    pub(crate) non_leases: NonLeases,
    /// What the last declaration of a record goes without: how many values and statements.
    pub(crate) lost_statements: HashMap<Subject, u32>,
    /// The same of declarations that are no records.
    pub(crate) lost_outside_records: u64,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Lease(Ipv4Addr),
    Association(IaKind, Vec<u8>),
}

impl Contents {
    /// Notes what the declaration of a record entered last goes without.
    pub(crate) fn record_lost_statements(&mut self, lost: u32, subject: impl FnOnce() -> Subject) {
        if lost > 0 {
            self.lost_statements.insert(subject(), lost);
        } else if !self.lost_statements.is_empty() {
            self.lost_statements.remove(&subject());
        }
    }
}
