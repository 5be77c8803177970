//! The buffers of the helper process whose old contents appear in a call that does not fill them (helper.c
//! `create_helper`).

use super::hex::hex_text;
use super::lease::{Lease, LeaseKind};
use super::rules::Rules;
use super::text::Text;

/// The contents of the helper's `daemon->packet`, which appear in the call for a DHCPv6 lease without a DUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StalePacket {
    /// The text that `read_leases` left before the helper was forked.
    Raw(Text),
    /// The client identifier or DUID of an earlier call.
    Id(Text),
}

impl StalePacket {
    pub(crate) fn text(&self) -> Vec<u8> {
        match self {
            StalePacket::Raw(text) => super::names::c_string(text).to_vec(),
            StalePacket::Id(id) => hex_text(id).into_bytes(),
        }
    }
}

/// The buffers of the helper whose old contents appear in a call that does not fill them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaleBuffers {
    /// `daemon->packet`.
    pub(crate) packet: StalePacket,
    /// `daemon->dhcp_buff`: the second argument of the last call, until 2.66.
    pub(crate) argument: Vec<u8>,
}

impl StaleBuffers {
    /// Records what a call for `lease` leaves in the buffers.
    pub(crate) fn record(&mut self, lease: &Lease, rules: &Rules) {
        let clid = lease.clid.as_ref().filter(|clid| !clid.is_empty());
        if let Some(clid) = clid
            && (rules.mac6 || !lease.kind.is_v6())
        {
            self.packet = StalePacket::Id(Text::clone(clid));
        }
        if !rules.mac6 {
            match (lease.kind, clid) {
                (LeaseKind::V4, _) => self.argument = lease.hw.text().into_bytes(),
                (LeaseKind::V6(_), Some(clid)) => self.argument = hex_text(clid).into_bytes(),
                (LeaseKind::V6(_), None) => {}
            }
        }
    }
}
