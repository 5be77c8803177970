//! DHCPv4 messages and the replies to them.

use std::net::Ipv4Addr;

use super::client4::Client4;

/// The kind of a DHCPv4 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind4 {
    /// DHCPDISCOVER, with or without the rapid commit option.
    Discover {
        /// Whether the message has option 80.
        rapid: bool,
    },
    /// DHCPREQUEST with a server identifier and a requested address.
    Request,
    /// DHCPREQUEST with only a requested address.
    InitReboot,
    /// DHCPREQUEST for the client's own address, unicast.
    Renew,
    /// DHCPREQUEST for the client's own address, broadcast.
    Rebind,
    /// DHCPINFORM.
    Inform,
    /// DHCPRELEASE.
    Release,
    /// DHCPDECLINE.
    Decline,
    /// A BOOTP request.
    Bootp,
}

/// A DHCPv4 message.
#[derive(Debug, Clone, Copy)]
pub struct Message4<'a> {
    /// The kind of message.
    pub kind: Kind4,
    /// The sender.
    pub client: &'a Client4,
    /// The requested address, or the client's own; 0.0.0.0 for none.
    pub addr: Ipv4Addr,
}

/// The reply of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply4 {
    /// DHCPOFFER of this address.
    Offer(Ipv4Addr),
    /// DHCPACK. For INFORM the fields have no meaning.
    Ack {
        /// The assigned address.
        addr: Ipv4Addr,
        /// The granted lease time in seconds; 0xffffffff for infinite.
        lease_time: u32,
    },
    /// A BOOTP reply with this address.
    BootReply(Ipv4Addr),
    /// DHCPNAK.
    Nak,
    /// No reply.
    Silent,
}
