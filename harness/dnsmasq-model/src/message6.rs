//! DHCPv6 messages and the replies to them.

use std::net::Ipv6Addr;

use super::ia_kind::IaKind;

/// The kind of a DHCPv6 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind6 {
    /// SOLICIT. With rapid commit the reply is a REPLY.
    Solicit,
    /// REQUEST.
    Request,
    /// RENEW.
    Renew,
    /// REBIND.
    Rebind,
    /// CONFIRM.
    Confirm,
    /// RELEASE.
    Release,
    /// DECLINE.
    Decline,
}

/// The message with which a client extends the lifetime of its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal6 {
    /// RENEW, addressed to the server that assigned the addresses.
    Renew,
    /// REBIND, addressed to any server. It creates leases that the server does not know.
    Rebind,
}

/// The message with which a client returns its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return6 {
    /// RELEASE: the client does not need the addresses any more.
    Release,
    /// DECLINE: the addresses are in use by another host.
    Decline,
}

impl From<Renewal6> for Kind6 {
    fn from(renewal: Renewal6) -> Kind6 {
        match renewal {
            Renewal6::Renew => Kind6::Renew,
            Renewal6::Rebind => Kind6::Rebind,
        }
    }
}

impl From<Return6> for Kind6 {
    fn from(message: Return6) -> Kind6 {
        match message {
            Return6::Release => Kind6::Release,
            Return6::Decline => Kind6::Decline,
        }
    }
}

/// An identity association in a message or reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ia {
    /// Whether the addresses are temporary.
    pub kind: IaKind,
    /// IAID.
    pub iaid: u32,
    /// Its addresses.
    pub addrs: Vec<Ipv6Addr>,
    /// Valid lifetime of the addresses in seconds; in a reply 0 means that they are not assigned.
    pub valid: u32,
}

/// The reply of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply6 {
    /// ADVERTISE with these associations. It creates no leases, but some releases renew the leases that the client
    /// holds.
    Advertise(Vec<Ia>),
    /// REPLY with these associations.
    Reply(Vec<Ia>),
    /// No reply, for instance because the message names another server's DUID.
    Silent,
}
