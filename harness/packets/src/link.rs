//! The clients' end of an Ethernet link. It sends and receives frames, and answers ARP requests and neighbor solicitations
//! for the simulated clients, as the network stack of a host would.

use std::cell::Cell;
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

/// The Ethernet broadcast address.
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// Size of the receive buffer in bytes. It is larger than any frame on the link.
const BUFFER_LEN: usize = 4096;

const ETH_P_ALL: u16 = 3;
const NEIGHBOR_SOLICITATION: u8 = 135;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;
/// The flags Solicited and Override (RFC 4861, section 4.4).
const SOLICITED_OVERRIDE: [u8; 4] = [0x60, 0, 0, 0];

/// A UDP datagram from the router.
#[derive(Debug)]
pub struct Datagram {
    /// Source port.
    pub from: u16,
    /// Destination port.
    pub to: u16,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

/// Source and destination of a client's UDP datagram.
#[derive(Debug, Clone, Copy)]
pub struct UdpEndpoints {
    /// Source and destination hardware address.
    pub hardware: ([u8; 6], [u8; 6]),
    /// Source and destination IP address. Both are of the same address family.
    pub addresses: (IpAddr, IpAddr),
    /// Source and destination port.
    pub ports: (u16, u16),
}

/// The clients' end of the link to the router.
#[derive(Debug)]
pub struct Link {
    socket: Socket,
    /// The clients' addresses, each with its hardware address.
    hosts: HashMap<IpAddr, [u8; 6]>,
    neighbor_advertisements: Cell<u64>,
}

/// Returns the link-local address that a host derives from its hardware address (RFC 4291, appendix A).
pub fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let mut octets = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0];
    octets[8..11].copy_from_slice(&mac[..3]);
    octets[8] ^= 2;
    octets[13..].copy_from_slice(&mac[3..]);
    Ipv6Addr::from(octets)
}

/// Returns the hardware address of a multicast group (RFC 2464, section 7).
pub(crate) fn multicast_hardware(group: Ipv6Addr) -> [u8; 6] {
    let [.., a, b, c, d] = group.octets();
    [0x33, 0x33, a, b, c, d]
}

impl Link {
    /// Opens the interface with this index in the network namespace of the calling thread.
    ///
    /// # Errors
    /// Returns an error if the process may not open packet sockets (`CAP_NET_RAW`), or there is no such interface.
    pub fn new(interface: u32) -> io::Result<Self> {
        let protocol = i32::from(ETH_P_ALL.to_be());
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(protocol)))?;
        let mut storage = SockAddrStorage::zeroed();
        // SAFETY: `SockAddrStorage` can hold every socket address type, including `sockaddr_ll`.
        let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
        address.sll_family = libc::AF_PACKET as libc::sa_family_t;
        address.sll_protocol = ETH_P_ALL.to_be();
        address.sll_ifindex = interface as i32;
        // SAFETY: the storage holds a complete `sockaddr_ll`, and the length is the size of this type.
        let address = unsafe {
            SockAddr::new(storage, mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t)
        };
        socket.bind(&address)?;
        Self::from_socket(socket)
    }

    /// Creates a link from a socket on which each message is one frame.
    ///
    /// # Errors
    /// Returns an error if the socket cannot be made non-blocking.
    pub fn from_socket(socket: Socket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, hosts: HashMap::new(), neighbor_advertisements: Cell::new(0) })
    }

    /// Adds a host. From then on, ARP requests and neighbor solicitations for `address` are answered with `mac`.
    pub fn add_host(&mut self, address: IpAddr, mac: [u8; 6]) {
        self.hosts.insert(address, mac);
    }

    /// Sends a UDP datagram.
    ///
    /// # Errors
    /// Returns an error if the addresses are of different families, or the socket refuses the frame.
    pub fn send(&self, endpoints: &UdpEndpoints, payload: &[u8]) -> io::Result<()> {
        let (source, destination) = endpoints.hardware;
        let ethernet = PacketBuilder::ethernet2(source, destination);
        let ip = match endpoints.addresses {
            (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
            _ => {
                return Err(io::Error::other(
                    "source and destination address are of different families",
                ));
            }
        };
        let udp = ip.udp(endpoints.ports.0, endpoints.ports.1);
        let mut frame = Vec::with_capacity(udp.size(payload.len()));
        udp.write(&mut frame, payload).map_err(io::Error::other)?;
        self.send_frame(&frame)
    }

    /// Sends a neighbor solicitation for the router. From it, the router learns the client's hardware address (RFC 4861,
    /// section 7.2.2).
    ///
    /// # Errors
    /// Returns an error if the socket refuses the frame.
    pub fn send_neighbor_solicitation(&self, mac: [u8; 6], router: Ipv6Addr) -> io::Result<()> {
        let [.., a, b, c] = router.octets();
        let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
        let message = NeighborMessage {
            kind: NEIGHBOR_SOLICITATION,
            flags: [0; 4],
            target: router,
            option: 1,
            hardware: mac,
        };
        self.send_frame(&message.frame((mac, multicast_hardware(group)), (link_local(mac), group))?)
    }

    fn send_frame(&self, frame: &[u8]) -> io::Result<()> {
        (&self.socket).write_all(frame)
    }

    /// Returns the number of neighbor advertisements that have arrived. The router sends one in response to a solicitation,
    /// after it has learned the client's hardware address.
    pub fn neighbor_advertisements(&self) -> u64 {
        self.neighbor_advertisements.get()
    }

    /// Reads all frames that have arrived, without blocking. Answers ARP requests and neighbor solicitations, and
    /// returns the UDP datagrams.
    ///
    /// # Errors
    /// Returns an error if the interface no longer exists.
    pub fn receive(&self) -> io::Result<Vec<Datagram>> {
        let mut datagrams = Vec::new();
        let mut buffer = [0; BUFFER_LEN];
        loop {
            let length = match (&self.socket).read(&mut buffer) {
                // The other end is closed.
                Ok(0) => return Ok(datagrams),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(datagrams),
                Err(error) => return Err(error),
            };
            if let Ok(packet) = SlicedPacket::from_ethernet(&buffer[..length]) {
                datagrams.extend(self.handle_frame(&packet)?);
            }
        }
    }

    fn handle_frame(&self, packet: &SlicedPacket<'_>) -> io::Result<Option<Datagram>> {
        let Some(LinkSlice::Ethernet2(ethernet)) = &packet.link else { return Ok(None) };
        if let Some(NetSlice::Arp(arp)) = &packet.net {
            if let Ok(request) = arp.to_packet().try_eth_ipv4() {
                self.answer_arp(&request)?;
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
                if icmp.type_u8() == NEIGHBOR_ADVERTISEMENT {
                    self.neighbor_advertisements.update(|count| count + 1);
                }
                let solicits = icmp.type_u8() == NEIGHBOR_SOLICITATION;
                if let (true, Some(NetSlice::Ipv6(ip))) = (solicits, &packet.net) {
                    let source = (ethernet.source(), ip.header().source_addr());
                    self.answer_solicitation(icmp.payload(), source)?;
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn answer_arp(&self, request: &ArpEthIpv4Packet) -> io::Result<()> {
        let target = Ipv4Addr::from(request.target_ipv4);
        let host = self.hosts.get(&IpAddr::V4(target));
        let (Some(mac), ArpOperation::REQUEST) = (host, request.operation) else {
            return Ok(());
        };
        let answer = ArpPacket::from(ArpEthIpv4Packet {
            operation: ArpOperation::REPLY,
            sender_mac: *mac,
            sender_ipv4: request.target_ipv4,
            target_mac: request.sender_mac,
            target_ipv4: request.sender_ipv4,
        });
        let builder = PacketBuilder::ethernet2(*mac, request.sender_mac).arp(answer);
        let mut frame = Vec::new();
        builder.write(&mut frame).map_err(io::Error::other)?;
        self.send_frame(&frame)
    }

    fn answer_solicitation(
        &self,
        payload: &[u8],
        (hardware, address): ([u8; 6], Ipv6Addr),
    ) -> io::Result<()> {
        let Some(target) = payload.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets)) else {
            return Ok(());
        };
        let Some(mac) = self.hosts.get(&IpAddr::V6(target)) else { return Ok(()) };
        let message = NeighborMessage {
            kind: NEIGHBOR_ADVERTISEMENT,
            flags: SOLICITED_OVERRIDE,
            target,
            option: 2,
            hardware: *mac,
        };
        self.send_frame(&message.frame((*mac, hardware), (target, address))?)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A Neighbor Discovery message with one link-layer address option (RFC 4861, sections 4.3, 4.4 and 4.6.1).
struct NeighborMessage {
    kind: u8,
    flags: [u8; 4],
    target: Ipv6Addr,
    option: u8,
    hardware: [u8; 6],
}

impl NeighborMessage {
    fn frame(
        &self,
        (source, destination): ([u8; 6], [u8; 6]),
        (from, to): (Ipv6Addr, Ipv6Addr),
    ) -> io::Result<Vec<u8>> {
        // Receivers require the hop limit 255, which shows that no router has forwarded the message.
        let builder = PacketBuilder::ethernet2(source, destination)
            .ipv6(from.octets(), to.octets(), 255)
            .icmpv6_raw(self.kind, 0, self.flags);
        let payload = [&self.target.octets()[..], &[self.option, 1], &self.hardware[..]].concat();
        let mut frame = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut frame, &payload).map_err(io::Error::other)?;
        Ok(frame)
    }
}
