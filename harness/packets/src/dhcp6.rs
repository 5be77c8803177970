//! DHCPv6 messages of emulated clients (RFC 8415), and what the server answers.

use std::net::{IpAddr, Ipv6Addr};

use dhcproto::v6::{
    DhcpOption, DhcpOptions, IAAddr, IANA, IATA, Message, MessageType, OptionCode, UnknownOption,
};
use dhcproto::{Decodable, Encodable};

use super::wire::{Envelope, link_local, multicast_hardware};
use dnsmasq_model::{Client6, ETHER, Ia, IaKind, Kind6, Reply6};

/// Ports of server and client.
pub const SERVER: u16 = 547;
/// UDP port of DHCPv6 clients.
pub const CLIENT: u16 = 546;

/// All relay agents and servers.
const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// The hardware address in a client's frames: its own, or one made of its DUID.
pub fn frame_mac(client: &Client6) -> [u8; 6] {
    if let Some(hw) = client.hw.filter(|hw| hw.kind == ETHER)
        && let Ok(mac) = hw.bytes().try_into()
    {
        return mac;
    }
    let [a, b, c, d] = dnsmasq_model::address_hash(&client.duid).to_be_bytes();
    [2, 0xfe, a, b, c, d]
}

/// The packet of a message, and whom it goes to. `server` is the DUID of the server that it is for.
///
/// # Errors
/// An option that does not fit.
pub fn packet(
    kind: Kind6,
    client: &Client6,
    asked: &[Ia],
    xid: u32,
    server: Option<&[u8]>,
) -> Result<(Envelope, Vec<u8>), String> {
    let [_, a, b, c] = xid.to_be_bytes();
    let mut message = Message::new_with_id(message_type(kind), [a, b, c]);
    let options = message.opts_mut();
    options.insert(DhcpOption::ClientId(client.duid.to_vec()));
    if let Some(server) = server {
        options.insert(DhcpOption::ServerId(server.to_vec()));
    }
    options.insert(DhcpOption::ElapsedTime(0));
    for ia in asked {
        options.insert(association(ia));
    }
    if let Some(name) = &client.hostname
        && !matches!(kind, Kind6::Release | Kind6::Decline | Kind6::Confirm)
    {
        options
            .insert(DhcpOption::Unknown(UnknownOption::new(OptionCode::ClientFqdn, fqdn(name)?)));
    }
    let bytes = message.to_vec().map_err(|error| error.to_string())?;
    let mac = frame_mac(client);
    let envelope = Envelope {
        hardware: (mac, multicast_hardware(SERVERS)),
        addresses: (IpAddr::V6(link_local(mac)), IpAddr::V6(SERVERS)),
        ports: (CLIENT, SERVER),
    };
    Ok((envelope, bytes))
}

fn message_type(kind: Kind6) -> MessageType {
    match kind {
        Kind6::Solicit => MessageType::Solicit,
        Kind6::Request => MessageType::Request,
        Kind6::Renew => MessageType::Renew,
        Kind6::Rebind => MessageType::Rebind,
        Kind6::Confirm => MessageType::Confirm,
        Kind6::Release => MessageType::Release,
        Kind6::Decline => MessageType::Decline,
    }
}

fn association(ia: &Ia) -> DhcpOption {
    let mut opts = DhcpOptions::new();
    for addr in &ia.addrs {
        opts.insert(DhcpOption::IAAddr(IAAddr {
            addr: *addr,
            preferred_life: ia.valid,
            valid_life: ia.valid,
            opts: DhcpOptions::new(),
        }));
    }
    match ia.kind {
        IaKind::Ta => DhcpOption::IATA(IATA { id: ia.iaid, opts }),
        IaKind::Na => DhcpOption::IANA(IANA { id: ia.iaid, t1: 0, t2: 0, opts }),
    }
}

/// Option 39: flags, and the name as labels (RFC 4704, section 4).
fn fqdn(name: &[u8]) -> Result<Vec<u8>, String> {
    let mut option = vec![1];
    for label in name.split(|byte| *byte == b'.').filter(|label| !label.is_empty()) {
        option.push(u8::try_from(label.len()).ok().filter(|length| *length < 64).ok_or_else(
            || format!("the label `{}` is too long for a domain name", label.escape_ascii()),
        )?);
        option.extend_from_slice(label);
    }
    // The end: some servers read on without.
    option.push(0);
    Ok(option)
}

/// What a packet to the client port says, if it answers this message; and the server's DUID.
pub fn answer(bytes: &[u8], xid: u32) -> Option<(Reply6, Vec<u8>)> {
    let message = Message::from_bytes(bytes).ok().filter(|message| message.xid_num() == xid)?;
    let server = match message.opts().get(OptionCode::ServerId) {
        Some(DhcpOption::ServerId(duid)) => duid.clone(),
        _ => Vec::new(),
    };
    let given = message.opts().iter().filter_map(|option| match option {
        DhcpOption::IANA(ia) => given(IaKind::Na, ia.id, &ia.opts),
        DhcpOption::IATA(ia) => given(IaKind::Ta, ia.id, &ia.opts),
        _ => None,
    });
    Some((Reply6::Reply(given.collect()), server))
}

fn given(kind: IaKind, iaid: u32, options: &DhcpOptions) -> Option<Ia> {
    let mut ia = Ia { kind, iaid, addrs: Vec::new(), valid: 0 };
    for option in options.iter() {
        if let DhcpOption::IAAddr(address) = option {
            ia.addrs.push(address.addr);
            ia.valid = address.valid_life;
        }
    }
    (!ia.addrs.is_empty()).then_some(ia)
}
