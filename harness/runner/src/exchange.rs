//! The messages that a client sends for an action, and the answers that it gets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::action::ClientAction;
use super::clients::{Client, Protocol};
use dnsmasq_model::{
    Client4, Client6, Clock, Ia, IaKind, Kind4, Renewal6, Reply4, Reply6, Return6, ScriptCall,
    Server,
};
use scenario::ReplyKind;

/// A server that answers the messages of a client: the engine, or a real dnsmasq.
pub trait Answers {
    /// Answers a DHCPv4 message.
    fn message4(&mut self, kind: Kind4, client: &Client4, addr: Ipv4Addr) -> Reply4;

    /// Answers SOLICIT and the REQUEST that follows it.
    fn join6(&mut self, client: &Client6, kind: IaKind, iaid: u32) -> Reply6;

    /// Answers RENEW or REBIND.
    fn renew6(&mut self, client: &Client6, renewal: Renewal6, asked: &[Ia]) -> Reply6;

    /// Answers RELEASE or DECLINE.
    fn release6(&mut self, client: &Client6, message: Return6, asked: &[Ia]) -> Reply6;

    /// The server's DUID; empty if it is not known before the exchange.
    fn server_duid(&self) -> Vec<u8>;
}

/// The engine at one time. It appends the script calls that follow to `calls`.
struct EngineAnswers<'a> {
    server: &'a mut Server,
    clock: Clock,
    calls: &'a mut Vec<ScriptCall>,
}

impl Answers for EngineAnswers<'_> {
    fn message4(&mut self, kind: Kind4, client: &Client4, addr: Ipv4Addr) -> Reply4 {
        let is_lost = self.server.engine().loses_next_packet();
        let reply = self.server.handle(kind, client, addr, self.clock, self.calls);
        if is_lost && !matches!(kind, Kind4::Release | Kind4::Decline) {
            // A client retransmits a message that gets no answer (RFC 2131, section 4.1).
            return self.server.handle(kind, client, addr, self.clock, self.calls);
        }
        reply
    }

    fn join6(&mut self, client: &Client6, kind: IaKind, iaid: u32) -> Reply6 {
        self.server.join6(client, kind, iaid, None, self.clock, self.calls)
    }

    fn renew6(&mut self, client: &Client6, renewal: Renewal6, asked: &[Ia]) -> Reply6 {
        self.server.renew6(client, renewal, asked, self.clock, self.calls)
    }

    fn release6(&mut self, client: &Client6, message: Return6, asked: &[Ia]) -> Reply6 {
        self.server.release6(client, message, asked, self.clock, self.calls)
    }

    fn server_duid(&self) -> Vec<u8> {
        self.server.engine().server_duid().to_vec()
    }
}

/// Sends the messages of an action to the engine, and appends the script calls that follow to `calls`.
pub fn perform(
    server: &mut Server,
    client: &mut Client,
    action: ClientAction,
    address: Option<IpAddr>,
    clock: Clock,
    calls: &mut Vec<ScriptCall>,
) -> ReplyKind {
    exchange(&mut EngineAnswers { server, clock, calls }, client, action, address)
}

/// Sends the messages of an action to a server, and changes the client according to the answers.
pub fn exchange(
    server: &mut impl Answers,
    client: &mut Client,
    action: ClientAction,
    address: Option<IpAddr>,
) -> ReplyKind {
    let address = address.or(client.address);
    let (reply, given) = match &client.protocol {
        Protocol::V4(own) => v4(server, own, action, address),
        Protocol::Bootp(own) => match server.message4(Kind4::Bootp, own, Ipv4Addr::UNSPECIFIED) {
            Reply4::BootReply(given) => (ReplyKind::Ack, Some(IpAddr::V4(given))),
            _ => (ReplyKind::None, None),
        },
        Protocol::V6 { client: own, kind, iaid } => {
            let duid = server.server_duid();
            let named = matches!(
                action,
                ClientAction::Renew | ClientAction::Release | ClientAction::Decline
            );
            let known = client.server.as_ref().filter(|_| named && !duid.is_empty());
            let names_no_server = named && client.server.is_none() && client.address.is_none();
            if names_no_server || known.is_some_and(|known| *known != duid) {
                // rfc3315.c `dhcp6_no_relay`: a message that names another server, or none, is ignored.
                return ReplyKind::None;
            }
            let answer = v6(server, own, (*kind, *iaid), action, address);
            if answer.0 == ReplyKind::Ack {
                client.server = Some(duid);
            }
            answer
        }
    };
    client.address = given.or(client.address);
    reply
}

fn v4(
    server: &mut impl Answers,
    client: &Client4,
    action: ClientAction,
    address: Option<IpAddr>,
) -> (ReplyKind, Option<IpAddr>) {
    let own = match address {
        Some(IpAddr::V4(own)) => own,
        _ => Ipv4Addr::UNSPECIFIED,
    };
    let reply = match kind4(action) {
        Some(kind) => server.message4(kind, client, own),
        None => match server.message4(Kind4::Discover { rapid: false }, client, own) {
            Reply4::Offer(offered) => server.message4(Kind4::Request, client, offered),
            other => other,
        },
    };
    match reply {
        // The answer to INFORM gives no address.
        Reply4::Ack { .. } if action == ClientAction::Inform => (ReplyKind::Ack, None),
        Reply4::Ack { addr, .. } | Reply4::BootReply(addr) => {
            (ReplyKind::Ack, Some(IpAddr::V4(addr)))
        }
        Reply4::Nak => (ReplyKind::Nak, None),
        Reply4::Offer(_) | Reply4::Silent => (ReplyKind::None, None),
    }
}

/// The single message of an action; `None` for DISCOVER and REQUEST.
fn kind4(action: ClientAction) -> Option<Kind4> {
    match action {
        ClientAction::Ask => None,
        ClientAction::Renew => Some(Kind4::Renew),
        ClientAction::Rebind => Some(Kind4::Rebind),
        ClientAction::InitReboot => Some(Kind4::InitReboot),
        ClientAction::Inform => Some(Kind4::Inform),
        ClientAction::Release => Some(Kind4::Release),
        ClientAction::Decline => Some(Kind4::Decline),
    }
}

fn v6(
    server: &mut impl Answers,
    client: &Client6,
    (kind, iaid): (IaKind, u32),
    action: ClientAction,
    address: Option<IpAddr>,
) -> (ReplyKind, Option<IpAddr>) {
    let own = match address {
        Some(IpAddr::V6(own)) => own,
        _ => Ipv6Addr::UNSPECIFIED,
    };
    let asked = [Ia { kind, iaid, addrs: vec![own], valid: 0 }];
    let reply = match action {
        ClientAction::Ask | ClientAction::InitReboot => server.join6(client, kind, iaid),
        ClientAction::Renew => server.renew6(client, Renewal6::Renew, &asked),
        ClientAction::Rebind => server.renew6(client, Renewal6::Rebind, &asked),
        ClientAction::Release => server.release6(client, Return6::Release, &asked),
        ClientAction::Decline => server.release6(client, Return6::Decline, &asked),
        ClientAction::Inform => Reply6::Silent,
    };
    match reply {
        Reply6::Reply(given) => {
            let address = given.iter().filter(|ia| ia.valid != 0).find_map(|ia| ia.addrs.first());
            match address {
                Some(address) => (ReplyKind::Ack, Some(IpAddr::V6(*address))),
                None => (ReplyKind::Nak, None),
            }
        }
        Reply6::Advertise(_) | Reply6::Silent => (ReplyKind::None, None),
    }
}
