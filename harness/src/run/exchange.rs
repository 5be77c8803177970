//! A client's exchange with the server: messages, decisions, script calls.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::clients::{Client, Protocol};
use super::steps::Deed;
use crate::dnsmasq::{
    Client4, Client6, Clock, Ia, Kind4, LeaseKind, Reply4, Reply6, ScriptCall, Server,
};
use crate::scenario::ReplyKind;

/// Lets a client do something; what dnsmasq then asks of its script is put behind `calls`.
pub(crate) fn perform(
    server: &mut Server,
    client: &mut Client,
    deed: Deed,
    address: Option<IpAddr>,
    clock: Clock,
    calls: &mut Vec<ScriptCall>,
) -> ReplyKind {
    let address = address.or(client.address);
    let (reply, given) = match &client.protocol {
        Protocol::V4(own) => v4(server, own, deed, address, clock, calls),
        Protocol::Bootp(own) => {
            match server.handle(Kind4::Bootp, own, Ipv4Addr::UNSPECIFIED, clock, calls) {
                Reply4::BootReply(given) => (ReplyKind::Ack, Some(IpAddr::V4(given))),
                _ => (ReplyKind::None, None),
            }
        }
        Protocol::V6 { client: own, kind, iaid } => {
            v6(server, own, (*kind, *iaid), deed, address, clock, calls)
        }
    };
    client.address = given.or(client.address);
    reply
}

fn v4(
    server: &mut Server,
    client: &Client4,
    deed: Deed,
    address: Option<IpAddr>,
    clock: Clock,
    calls: &mut Vec<ScriptCall>,
) -> (ReplyKind, Option<IpAddr>) {
    let own = match address {
        Some(IpAddr::V4(own)) => own,
        _ => Ipv4Addr::UNSPECIFIED,
    };
    let reply = match kind4(deed) {
        Some(kind) => server.handle(kind, client, own, clock, calls),
        None => server.join(client, (!own.is_unspecified()).then_some(own), clock, calls),
    };
    match reply {
        // The answer to INFORM gives no address.
        Reply4::Ack { .. } if deed == Deed::Inform => (ReplyKind::Ack, None),
        Reply4::Ack { addr, .. } | Reply4::BootReply(addr) => {
            (ReplyKind::Ack, Some(IpAddr::V4(addr)))
        }
        Reply4::Nak => (ReplyKind::Nak, None),
        Reply4::Offer(_) | Reply4::Silent => (ReplyKind::None, None),
    }
}

/// The one message of a deed; `None` for the exchange of a client that comes up.
fn kind4(deed: Deed) -> Option<Kind4> {
    match deed {
        Deed::Ask => None,
        Deed::Renew => Some(Kind4::Renew),
        Deed::Rebind => Some(Kind4::Rebind),
        Deed::InitReboot => Some(Kind4::InitReboot),
        Deed::Inform => Some(Kind4::Inform),
        Deed::Release => Some(Kind4::Release),
        Deed::Decline => Some(Kind4::Decline),
    }
}

fn v6(
    server: &mut Server,
    client: &Client6,
    (kind, iaid): (LeaseKind, u32),
    deed: Deed,
    address: Option<IpAddr>,
    clock: Clock,
    calls: &mut Vec<ScriptCall>,
) -> (ReplyKind, Option<IpAddr>) {
    let own = match address {
        Some(IpAddr::V6(own)) => own,
        _ => Ipv6Addr::UNSPECIFIED,
    };
    let asked = [Ia { kind, iaid, addrs: vec![own], valid: 0 }];
    let reply = match deed {
        Deed::Ask | Deed::InitReboot => server.join6(client, kind, iaid, None, clock, calls),
        Deed::Renew => server.renew6(client, false, &asked, clock, calls),
        Deed::Rebind => server.renew6(client, true, &asked, clock, calls),
        Deed::Release => server.release6(client, false, &asked, clock, calls),
        Deed::Decline => server.release6(client, true, &asked, clock, calls),
        Deed::Inform => Reply6::Silent,
    };
    match reply {
        Reply6::Reply(given) => {
            let address = given.iter().filter(|ia| ia.valid != 0).find_map(|ia| ia.addrs.first());
            match address {
                Some(address) => (ReplyKind::Ack, Some(IpAddr::V6(*address))),
                None => (ReplyKind::Nak, None),
            }
        }
        Reply6::Advertise | Reply6::Silent => (ReplyKind::None, None),
    }
}
