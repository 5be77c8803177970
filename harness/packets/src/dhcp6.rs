//! DHCPv6 messages of simulated clients (RFC 8415), and the server's replies.

use std::net::{IpAddr, Ipv6Addr};

use dhcproto::v6::{
    DhcpOption, DhcpOptions, IAAddr, IANA, IATA, Message, MessageType, OptionCode, UnknownOption,
};
use dhcproto::{Decodable, Encodable};

use super::link::{UdpEndpoints, link_local, multicast_hardware};
use dnsmasq_model::{Client6, ETHER, Ia, IaKind, Kind6, Reply6};

/// UDP port of DHCPv6 servers.
pub const SERVER_PORT: u16 = 547;
/// UDP port of DHCPv6 clients.
pub const CLIENT_PORT: u16 = 546;

/// The multicast group All_DHCP_Relay_Agents_and_Servers.
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// The source hardware address of a client's frames: its own if it is an Ethernet address, else one derived from its
/// DUID.
pub fn frame_mac(client: &Client6) -> [u8; 6] {
    if let Some(hw) = client.hw.filter(|hw| hw.kind == ETHER)
        && let Ok(mac) = hw.bytes().try_into()
    {
        return mac;
    }
    let [a, b, c, d] = dnsmasq_model::address_hash(&client.duid).to_be_bytes();
    [2, 0xfe, a, b, c, d]
}

/// Encodes a message. Returns its endpoints and the UDP payload. `server` is the DUID of the server that it is addressed to.
///
/// # Errors
/// If an option is too long to be encoded.
pub fn encode(
    kind: Kind6,
    client: &Client6,
    asked: &[Ia],
    xid: u32,
    server: Option<&[u8]>,
) -> Result<(UdpEndpoints, Vec<u8>), String> {
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
    let endpoints = UdpEndpoints {
        hardware: (mac, multicast_hardware(ALL_SERVERS)),
        addresses: (IpAddr::V6(link_local(mac)), IpAddr::V6(ALL_SERVERS)),
        ports: (CLIENT_PORT, SERVER_PORT),
    };
    Ok((endpoints, bytes))
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

/// The data of option 39: flags, and the name as labels (RFC 4704, section 4).
fn fqdn(name: &[u8]) -> Result<Vec<u8>, String> {
    let mut option = vec![1];
    for label in name.split(|byte| *byte == b'.').filter(|label| !label.is_empty()) {
        option.push(u8::try_from(label.len()).ok().filter(|length| *length < 64).ok_or_else(
            || {
                format!(
                    "host name label `{}` is too long: a label has at most 63 bytes",
                    label.escape_ascii()
                )
            },
        )?);
        option.extend_from_slice(label);
    }
    // The root label: some servers read beyond the option without it.
    option.push(0);
    Ok(option)
}

/// Options inside options: an address in an association in a message has options, too.
const MAX_DEPTH: usize = 4;

/// Whether each option has the fields that dhcproto subtracts from its length without a check, and lies within the one
/// around it.
fn has_valid_options(mut options: &[u8], depth: usize) -> bool {
    while let [code_high, code_low, high, low, rest @ ..] = options {
        let length = u16::from_be_bytes([*high, *low]);
        let Some((value, rest)) = rest.split_at_checked(length.into()) else { return false };
        let (fields, has_options) = match u16::from_be_bytes([*code_high, *code_low]) {
            // IA_NA and IA_PD, IA_TA, IAADDR, IAPREFIX, vendor options (RFC 8415, section 21)
            3 | 25 => (12, true),
            4 | 17 => (4, true),
            5 => (24, true),
            26 => (25, true),
            // Relay message: not for a client
            9 => return false,
            // Authentication, status code, vendor class
            11 => (11, false),
            13 => (2, false),
            16 => (4, false),
            _ => (0, false),
        };
        let Some(inner) = value.get(fields..) else { return false };
        if has_options && (depth == MAX_DEPTH || !has_valid_options(inner, depth + 1)) {
            return false;
        }
        options = rest;
    }
    true
}

/// Decodes a reply and the server's DUID; `None` if it does not belong to the message with this transaction id.
pub fn parse_reply(bytes: &[u8], xid: u32) -> Option<(Reply6, Vec<u8>)> {
    // After the type and the transaction id
    if !has_valid_options(bytes.get(4..)?, 0) {
        return None;
    }
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
