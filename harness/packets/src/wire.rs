//! The clients' end of the cable: frames out, frames in, and what any host answers by itself (ARP, neighbour
//! discovery).

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd};

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, LinkSlice, NetSlice, PacketBuilder, SlicedPacket,
    TransportSlice,
};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

/// Frames for everybody.
pub const EVERYBODY: [u8; 6] = [0xff; 6];

/// Larger than any frame here.
const FRAME: usize = 4096;

const ETH_P_ALL: u16 = 3;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// Solicited, and overriding what was known before (RFC 4861, section 4.4).
const SOLICITED_OVERRIDE: [u8; 4] = [0x60, 0, 0, 0];

/// A UDP packet from the router.
#[derive(Debug)]
pub struct Datagram {
    /// The port at the router.
    pub from: u16,
    /// The port that it is for.
    pub to: u16,
    /// What is in it.
    pub payload: Vec<u8>,
}

/// A UDP packet of a client.
#[derive(Debug, Clone, Copy)]
pub struct Envelope {
    /// Hardware addresses: from, to.
    pub hardware: ([u8; 6], [u8; 6]),
    /// Addresses of one family: from, to.
    pub addresses: (IpAddr, IpAddr),
    /// Ports: from, to.
    pub ports: (u16, u16),
}

/// The cable.
#[derive(Debug)]
pub struct Wire {
    socket: Socket,
    /// Who answers for an address.
    owners: HashMap<IpAddr, [u8; 6]>,
}

/// The link-local address that a host makes of its hardware address (RFC 4291, appendix A).
pub fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let mut octets = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0];
    octets[8..11].copy_from_slice(&mac[..3]);
    octets[8] ^= 2;
    octets[13..].copy_from_slice(&mac[3..]);
    Ipv6Addr::from(octets)
}

/// The hardware address of a multicast group (RFC 2464, section 7).
pub fn multicast_hardware(group: Ipv6Addr) -> [u8; 6] {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

impl Wire {
    /// Takes hold of the cable of this thread's network.
    ///
    /// # Errors
    /// Without the right to raw packets.
    pub fn new(interface: u32) -> io::Result<Self> {
        let protocol = i32::from(ETH_P_ALL.to_be());
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(protocol)))?;
        let mut storage = SockAddrStorage::zeroed();
        // SAFETY: `sockaddr_ll` is one of the socket addresses that the storage is made for.
        let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
        address.sll_family = libc::AF_PACKET as libc::sa_family_t;
        address.sll_protocol = ETH_P_ALL.to_be();
        address.sll_ifindex = interface as i32;
        // SAFETY: the storage holds a whole `sockaddr_ll`, as the length says.
        let address = unsafe {
            SockAddr::new(storage, mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t)
        };
        socket.bind(&address)?;
        Self::over(socket)
    }

    /// Frames over any socket that carries one a message.
    ///
    /// # Errors
    /// When the socket is none that can be read without waiting.
    pub fn over(socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, owners: HashMap::new() })
    }

    /// Somebody answers for this address from now on.
    pub fn own(&mut self, address: IpAddr, mac: [u8; 6]) {
        self.owners.insert(address, mac);
    }

    /// Sends a UDP packet.
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub fn send(&self, envelope: &Envelope, payload: &[u8]) -> io::Result<()> {
        let (source, destination) = envelope.hardware;
        let ethernet = PacketBuilder::ethernet2(source, destination);
        let ip = match envelope.addresses {
            (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
            _ => return Err(io::Error::other("two families of addresses in one packet")),
        };
        let udp = ip.udp(envelope.ports.0, envelope.ports.1);
        let mut frame = Vec::with_capacity(udp.size(payload.len()));
        udp.write(&mut frame, payload).map_err(io::Error::other)?;
        self.put(&frame)
    }

    /// A client asks for the router's hardware address, and so tells its own (RFC 4861, section 7.2.2).
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub fn solicit(&self, mac: [u8; 6], router: Ipv6Addr) -> io::Result<()> {
        let [.., a, b, c] = router.octets();
        let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
        let message = Neighbour {
            kind: NEIGHBOUR_SOLICITATION,
            flags: [0; 4],
            target: router,
            option: 1,
            hardware: mac,
        };
        self.put(&message.frame((mac, multicast_hardware(group)), (link_local(mac), group))?)
    }

    fn put(&self, frame: &[u8]) -> io::Result<()> {
        (&self.socket).write_all(frame)
    }

    /// Takes the next frames that have come; answers those that any host answers, and returns the UDP packets.
    ///
    /// # Errors
    /// When the interface has gone.
    pub fn receive(&self) -> io::Result<Vec<Datagram>> {
        let mut datagrams = Vec::new();
        let mut buffer = [0; FRAME];
        loop {
            let length = match (&self.socket).read(&mut buffer) {
                // Nobody will send any more.
                Ok(0) => return Ok(datagrams),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(datagrams),
                Err(error) => return Err(error),
            };
            if let Ok(packet) = SlicedPacket::from_ethernet(&buffer[..length]) {
                datagrams.extend(self.look(&packet)?);
            }
        }
    }

    fn look(&self, packet: &SlicedPacket<'_>) -> io::Result<Option<Datagram>> {
        let Some(LinkSlice::Ethernet2(ethernet)) = &packet.link else { return Ok(None) };
        if let Some(NetSlice::Arp(arp)) = &packet.net {
            if let Ok(question) = arp.to_packet().try_eth_ipv4() {
                self.answer_arp(&question)?;
            }
            return Ok(None);
        }
        match &packet.transport {
            Some(TransportSlice::Udp(udp)) => Ok(Some(Datagram {
                from: udp.source_port(),
                to: udp.destination_port(),
                payload: udp.payload().to_vec(),
            })),
            Some(TransportSlice::Icmpv6(icmp)) => {
                let asks = icmp.type_u8() == NEIGHBOUR_SOLICITATION;
                if let (true, Some(NetSlice::Ipv6(ip))) = (asks, &packet.net) {
                    let asker = (ethernet.source(), ip.header().source_addr());
                    self.answer_solicitation(icmp.payload(), asker)?;
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn answer_arp(&self, question: &ArpEthIpv4Packet) -> io::Result<()> {
        let wanted = Ipv4Addr::from(question.target_ipv4);
        let owner = self.owners.get(&IpAddr::V4(wanted));
        let (Some(mac), ArpOperation::REQUEST) = (owner, question.operation) else {
            return Ok(());
        };
        let answer = ArpPacket::from(ArpEthIpv4Packet {
            operation: ArpOperation::REPLY,
            sender_mac: *mac,
            sender_ipv4: question.target_ipv4,
            target_mac: question.sender_mac,
            target_ipv4: question.sender_ipv4,
        });
        let builder = PacketBuilder::ethernet2(*mac, question.sender_mac).arp(answer);
        let mut frame = Vec::new();
        builder.write(&mut frame).map_err(io::Error::other)?;
        self.put(&frame)
    }

    fn answer_solicitation(
        &self,
        payload: &[u8],
        (hardware, address): ([u8; 6], Ipv6Addr),
    ) -> io::Result<()> {
        let Some(target) = payload.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets)) else {
            return Ok(());
        };
        let Some(mac) = self.owners.get(&IpAddr::V6(target)) else { return Ok(()) };
        let message = Neighbour {
            kind: NEIGHBOUR_ADVERTISEMENT,
            flags: SOLICITED_OVERRIDE,
            target,
            option: 2,
            hardware: *mac,
        };
        self.put(&message.frame((*mac, hardware), (target, address))?)
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A message of neighbour discovery with one link-layer address (RFC 4861, sections 4.3, 4.4 and 4.6.1).
struct Neighbour {
    kind: u8,
    flags: [u8; 4],
    target: Ipv6Addr,
    option: u8,
    hardware: [u8; 6],
}

impl Neighbour {
    fn frame(
        &self,
        (source, destination): ([u8; 6], [u8; 6]),
        (from, to): (Ipv6Addr, Ipv6Addr),
    ) -> io::Result<Vec<u8>> {
        // The hop limit proves that nobody forwarded it.
        let builder = PacketBuilder::ethernet2(source, destination)
            .ipv6(from.octets(), to.octets(), 255)
            .icmpv6_raw(self.kind, 0, self.flags);
        let payload = [&self.target.octets()[..], &[self.option, 1], &self.hardware[..]].concat();
        let mut frame = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut frame, &payload).map_err(io::Error::other)?;
        Ok(frame)
    }
}
