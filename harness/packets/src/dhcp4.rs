//! DHCPv4 and BOOTP messages of simulated clients (RFC 2131, RFC 951), and the server's replies.

use std::net::{IpAddr, Ipv4Addr};

use dhcproto::v4::{DhcpOption, Flags, HType, Message, MessageType, OptionCode, UnknownOption};
use dhcproto::{Decodable, Encodable};

use super::link::{BROADCAST, UdpEndpoints};
use dnsmasq_model::{Client4, ETHER, Kind4, Reply4};

/// UDP port of DHCPv4 servers.
pub const SERVER_PORT: u16 = 67;
/// UDP port of DHCPv4 clients.
pub const CLIENT_PORT: u16 = 68;

/// Minimum length of a BOOTP message in bytes: the fields of RFC 951 with 64 bytes of vendor data.
const MIN_MESSAGE: usize = 300;

/// The server that messages are sent to.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    /// The router's hardware address.
    pub mac: [u8; 6],
    /// The router's address, which is also the server identifier.
    pub address: Ipv4Addr,
}

/// Returns the source hardware address of a client's frames: the client's hardware address if it is an Ethernet address,
/// otherwise an address derived from the hardware address and the client identifier.
pub fn frame_mac(client: &Client4) -> [u8; 6] {
    if client.hw.kind == ETHER
        && let Ok(mac) = client.hw.bytes().try_into()
    {
        return mac;
    }
    let clid = client.clid.as_deref().unwrap_or_default();
    let hash = dnsmasq_model::address_hash(&[client.hw.bytes(), clid].concat());
    let [a, b, c, d] = hash.to_be_bytes();
    [2, 0xfe, a, b, c, d]
}

/// Returns whether the server replies to messages of this kind.
pub fn expects_reply(kind: Kind4) -> bool {
    !matches!(kind, Kind4::Release | Kind4::Decline)
}

/// Encodes a message. Returns its endpoints and the UDP payload.
///
/// # Errors
/// Returns an error if an option is too long to be encoded.
pub fn encode(
    kind: Kind4,
    client: &Client4,
    address: Ipv4Addr,
    xid: u32,
    server: Server,
) -> Result<(UdpEndpoints, Vec<u8>), String> {
    let has_ciaddr = matches!(kind, Kind4::Renew | Kind4::Rebind | Kind4::Inform | Kind4::Release);
    let none = Ipv4Addr::UNSPECIFIED;
    let ciaddr = if has_ciaddr { address } else { none };
    let mut message = Message::new_with_id(xid, ciaddr, none, none, none, client.hw.bytes());
    message.set_htype(HType::from(client.hw.kind as u8));
    if client.hw.kind != ETHER || client.hw.bytes().len() != 6 {
        // A unicast reply cannot be addressed to such a client (RFC 2131, section 4.1; RFC 4390, section 2.1).
        message.set_flags(Flags::default().set_broadcast());
    }
    let options = message.opts_mut();
    if let Some(kind) = message_type(kind) {
        options.insert(DhcpOption::MessageType(kind));
    }
    let requests_address = matches!(
        kind,
        Kind4::Discover { .. } | Kind4::Request | Kind4::InitReboot | Kind4::Decline
    );
    if requests_address && !address.is_unspecified() {
        options.insert(DhcpOption::RequestedIpAddress(address));
    }
    if matches!(kind, Kind4::Request | Kind4::Release | Kind4::Decline) {
        options.insert(DhcpOption::ServerIdentifier(server.address));
    }
    if kind == (Kind4::Discover { rapid: true }) {
        options.insert(DhcpOption::RapidCommit);
    }
    if let Some(clid) = &client.clid {
        options.insert(DhcpOption::ClientIdentifier(clid.to_vec()));
    }
    let has_parameters = !matches!(kind, Kind4::Release | Kind4::Decline);
    if let Some(name) = client.hostname.as_ref().filter(|_| has_parameters) {
        // The name is encoded as raw bytes, because a host name need not be UTF-8.
        let option = UnknownOption::new(OptionCode::Hostname, name.to_vec());
        options.insert(DhcpOption::Unknown(option));
    }
    let classes = &client.options;
    if has_parameters && !classes.vendor_class.is_empty() {
        options.insert(DhcpOption::ClassIdentifier(classes.vendor_class.clone()));
    }
    if let Some(class) = classes.user_classes.first().filter(|_| has_parameters) {
        options
            .insert(DhcpOption::Unknown(UnknownOption::new(OptionCode::UserClass, class.clone())));
    }
    if let Some(time) = client.lease_time.filter(|_| has_parameters && kind != Kind4::Bootp) {
        options.insert(DhcpOption::AddressLeaseTime(time));
    }
    let mut bytes = message.to_vec().map_err(|error| error.to_string())?;
    bytes.resize(bytes.len().max(MIN_MESSAGE), 0);
    let unicast = matches!(kind, Kind4::Renew | Kind4::Inform | Kind4::Release);
    let (mac, to) =
        if unicast { (server.mac, server.address) } else { (BROADCAST, Ipv4Addr::BROADCAST) };
    let endpoints = UdpEndpoints {
        hardware: (frame_mac(client), mac),
        addresses: (IpAddr::V4(ciaddr), IpAddr::V4(to)),
        ports: (CLIENT_PORT, SERVER_PORT),
    };
    Ok((endpoints, bytes))
}

fn message_type(kind: Kind4) -> Option<MessageType> {
    match kind {
        Kind4::Discover { .. } => Some(MessageType::Discover),
        Kind4::Request | Kind4::InitReboot | Kind4::Renew | Kind4::Rebind => {
            Some(MessageType::Request)
        }
        Kind4::Inform => Some(MessageType::Inform),
        Kind4::Release => Some(MessageType::Release),
        Kind4::Decline => Some(MessageType::Decline),
        Kind4::Bootp => None,
    }
}

/// Length of the fields before the options in bytes, including the magic cookie of RFC 1497.
const FIXED_FIELDS: usize = 240;
const LEASE_TIME: u8 = 51;
const MESSAGE_TYPE: u8 = 53;

/// Returns the message with only the options that [`parse_reply`] reads. Invalid lengths of some other options make dhcproto
/// panic. Returns `None` if the message is truncated.
fn with_known_options(bytes: &[u8]) -> Option<Vec<u8>> {
    let (fields, mut options) = bytes.split_at_checked(FIXED_FIELDS)?;
    let mut kept = fields.to_vec();
    while let [code, rest @ ..] = options {
        options = match *code {
            // The padding option (0) and the end option (255) have no length field.
            0 => rest,
            255 => break,
            code => {
                let (length, rest) = rest.split_first()?;
                let (value, rest) = rest.split_at_checked((*length).into())?;
                if matches!((code, length), (LEASE_TIME, 4) | (MESSAGE_TYPE, 1)) {
                    kept.extend([code, *length]);
                    kept.extend(value);
                }
                rest
            }
        };
    }
    kept.push(255);
    Some(kept)
}

/// Decodes a reply. Returns `None` if the reply is invalid or does not belong to the message with this transaction id.
pub fn parse_reply(bytes: &[u8], xid: u32, kind: Kind4, asked: Ipv4Addr) -> Option<Reply4> {
    let message = Message::from_bytes(&with_known_options(bytes)?).ok();
    let message = message.filter(|message| message.xid() == xid)?;
    let address = message.yiaddr();
    match message.opts().msg_type() {
        None => Some(Reply4::BootReply(address)),
        Some(MessageType::Offer) => Some(Reply4::Offer(address)),
        Some(MessageType::Nak) => Some(Reply4::Nak),
        // The reply to INFORM assigns no address.
        Some(MessageType::Ack) if kind == Kind4::Inform => {
            Some(Reply4::Ack { addr: asked, lease_time: dnsmasq_model::INFINITE })
        }
        Some(MessageType::Ack) => match message.opts().get(OptionCode::AddressLeaseTime) {
            Some(DhcpOption::AddressLeaseTime(time)) => {
                Some(Reply4::Ack { addr: address, lease_time: *time })
            }
            _ => None,
        },
        Some(_) => None,
    }
}
