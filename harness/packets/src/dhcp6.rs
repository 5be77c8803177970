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

/// Returns the source hardware address of a client's frames: the client's hardware address if it is an Ethernet address,
/// otherwise an address derived from the DUID.
pub fn frame_mac(client: &Client6) -> [u8; 6] {
    if let Some(hw) = client.hw.filter(|hw| hw.kind == ETHER)
        && let Ok(mac) = hw.bytes().try_into()
    {
        return mac;
    }
    let [a, b, c, d] = dnsmasq_model::address_hash(&client.duid).to_be_bytes();
    [2, 0xfe, a, b, c, d]
}

/// Encodes a message. Returns its endpoints and the UDP payload. `server` is the DUID of the server that the message is
/// addressed to.
///
/// # Errors
/// Returns an error if an option is too long to be encoded.
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

/// Encodes the data of option 39: flags, and the name as labels (RFC 4704, section 4).
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
    // The root label. Without it, some servers read beyond the end of the option.
    option.push(0);
    Ok(option)
}

/// Returns the code and the value of each option. An option that is longer than the remaining bytes yields `None` and ends
/// the iteration.
fn options(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let code = u16::from_be_bytes([head[0], head[1]]);
        let length = u16::from_be_bytes([head[2], head[3]]);
        let split = rest.split_at_checked(length.into());
        bytes = split.map_or(&[], |(_, rest)| rest);
        Some(split.map(|(value, _)| (code, value)))
    })
}

/// Returns whether all options of an association are addresses or status codes (RFC 8415, sections 21.6 and 21.13) that
/// contain all their fields.
fn has_valid_options(bytes: &[u8]) -> bool {
    options(bytes).all(|option| match option {
        Some((5, address)) => address.get(24..).is_some_and(has_valid_options),
        Some((13, status)) => status.len() >= 2,
        _ => false,
    })
}

/// Returns the message with only the options that [`parse_reply`] reads: the server's identifier and the associations.
/// Invalid lengths of other options make dhcproto panic. Returns `None` if one of the options that are read is invalid.
fn with_known_options(bytes: &[u8]) -> Option<Vec<u8>> {
    // The type and the transaction id.
    let (fields, rest) = bytes.split_at_checked(4)?;
    let mut kept = fields.to_vec();
    for option in options(rest) {
        let (code, value) = option?;
        let is_valid = match code {
            2 => true,
            3 => value.get(12..).is_some_and(has_valid_options),
            4 => value.get(4..).is_some_and(has_valid_options),
            _ => continue,
        };
        if !is_valid {
            return None;
        }
        kept.extend(code.to_be_bytes());
        kept.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
        kept.extend(value);
    }
    Some(kept)
}

/// Decodes a reply and the server's DUID. Returns `None` if the reply is invalid or does not belong to the message with this
/// transaction id.
pub fn parse_reply(bytes: &[u8], xid: u32) -> Option<(Reply6, Vec<u8>)> {
    let message = Message::from_bytes(&with_known_options(bytes)?).ok();
    let message = message.filter(|message| message.xid_num() == xid)?;
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
