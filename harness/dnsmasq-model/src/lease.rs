//! A lease, and the data of a request that the next script call reports (`struct dhcp_lease` of dnsmasq.h).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::hw_addr::HwAddr;
use super::ia_kind::IaKind;
use super::text::Text;

/// The kind of a lease; the flags `LEASE_NA` and `LEASE_TA` of dnsmasq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaseKind {
    /// DHCPv4.
    V4,
    /// DHCPv6.
    V6(IaKind),
}

impl LeaseKind {
    /// Returns whether this is a DHCPv6 lease.
    #[must_use]
    pub fn is_v6(self) -> bool {
        self != LeaseKind::V4
    }
}

/// Why a script call for a lease is due: the flags `LEASE_NEW` etc. of dnsmasq.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u8);

impl Flags {
    /// Created since the last call: `add` is due.
    pub(crate) const NEW: Flags = Flags(1);
    /// Its name, hardware address or interface changed, or there was a SIGHUP: `old` is due.
    pub(crate) const CHANGED: Flags = Flags(2);
    /// Its expiry, length or client identifier changed: `old` is due under `--leasefile-ro`.
    pub(crate) const AUX_CHANGED: Flags = Flags(4);
    /// Its expiry changed: `old` is due under `--script-on-renewal`. Only set in the RTC build.
    pub(crate) const EXP_CHANGED: Flags = Flags(8);
    /// The name comes from the configuration, so no client can take it.
    pub(crate) const AUTH_NAME: Flags = Flags(16);
    /// Contained in the database's list of leases that may need a call.
    pub(crate) const PENDING: Flags = Flags(32);

    pub(crate) fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn set(&mut self, other: Flags) {
        self.0 |= other.0;
    }

    pub(crate) fn clear(&mut self, other: Flags) {
        self.0 &= !other.0;
    }

    pub(crate) fn or(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// The data of the last request that `lease_add_extradata` keeps until the next `add` or `old` call. helper.c passes it
/// as variables. An empty value stands for an absent option.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtraData {
    /// `DNSMASQ_VENDOR_CLASS` (DHCPv4).
    pub vendor_class: Vec<u8>,
    /// `DNSMASQ_VENDOR_CLASS_ID`, `DNSMASQ_VENDOR_CLASS0`, `DNSMASQ_VENDOR_CLASS1` and so on (DHCPv6), starting with
    /// the enterprise number.
    pub vendor_classes: Vec<Vec<u8>>,
    /// `DNSMASQ_SUPPLIED_HOSTNAME`.
    pub supplied_hostname: Vec<u8>,
    /// `DNSMASQ_CPEWAN_OUI`, `_SERIAL`, `_CLASS`.
    pub cpewan: [Vec<u8>; 3],
    /// `DNSMASQ_CIRCUIT_ID`.
    pub circuit_id: Vec<u8>,
    /// `DNSMASQ_SUBSCRIBER_ID`.
    pub subscriber_id: Vec<u8>,
    /// `DNSMASQ_REMOTE_ID`.
    pub remote_id: Vec<u8>,
    /// `DNSMASQ_REQUESTED_OPTIONS`, decimal numbers separated by commas.
    pub requested_options: Vec<u8>,
    /// `DNSMASQ_MUD_URL`.
    pub mud_url: Vec<u8>,
    /// `DNSMASQ_TAGS`, separated by spaces.
    pub tags: Vec<u8>,
    /// `DNSMASQ_RELAY_ADDRESS` of DHCPv6.
    pub relay_address: Vec<u8>,
    /// `DNSMASQ_USER_CLASS0`, `DNSMASQ_USER_CLASS1` and so on.
    pub user_classes: Vec<Vec<u8>>,
}

/// A lease in dnsmasq's memory.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The leased address.
    pub addr: IpAddr,
    /// DHCPv4, IA_NA or IA_TA.
    pub kind: LeaseKind,
    /// IAID, DHCPv6 only.
    pub iaid: u32,
    /// Hardware address. For DHCPv6, it is unknown after a restart.
    pub hw: HwAddr,
    /// Client identifier, or the client's DUID.
    pub clid: Option<Text>,
    /// Host name, unqualified.
    pub hostname: Option<Text>,
    /// Host name with its domain, if one is configured for the address.
    pub fqdn: Option<Text>,
    /// A lost name that has not been reported yet.
    pub(crate) old_hostname: Option<Text>,
    pub(crate) flags: Flags,
    /// End of the lease on dnsmasq's clock; 0 for an infinite lease.
    pub expires: i64,
    /// Length in seconds (HAVE_BROKEN_RTC); 0 for an infinite lease.
    pub length: u32,
    /// The number of the server's interface, if it is known.
    pub interface: Option<u8>,
    /// Address of the relay agent.
    pub giaddr: Option<Ipv4Addr>,
    pub(crate) extra: Option<Arc<ExtraData>>,
    /// Position in dnsmasq's list; the head has the highest rank.
    pub(crate) rank: u64,
}

impl Lease {
    /// Returns whether the lease has reached its end at `now` on dnsmasq's clock. Whether dnsmasq removes the lease in
    /// the same second depends on the release.
    #[must_use]
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires != 0 && now >= self.expires
    }

    /// Returns the IPv4 address of a DHCPv4 lease.
    #[must_use]
    pub fn v4(&self) -> Option<Ipv4Addr> {
        match self.addr {
            IpAddr::V4(addr) if self.kind == LeaseKind::V4 => Some(addr),
            _ => None,
        }
    }
}
