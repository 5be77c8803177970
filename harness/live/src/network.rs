//! The router's network: a pair of virtual Ethernet interfaces in the network namespace of the calling thread.
//!
//! dnsmasq listens on one interface, which has the router's addresses; the harness sends and receives the simulated
//! clients' frames on the other. The namespace is separate from the network of the host.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoVeth, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage, State,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{getgid, getuid};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use dnsmasq_model::Network;

/// The netlink multicast group for changes to interfaces (linux/rtnetlink.h).
const RTMGRP_LINK: u32 = 1;

/// Maximum time until the interfaces are operational.
const OPERATIONAL_LIMIT: Duration = Duration::from_secs(20);

/// Index of dnsmasq's interface. It is lower than [`CLIENT_END`], because dnsmasq derives its DUID from the first interface
/// that it finds.
const ROUTER_END: u32 = 10;

/// The address of the host that sends DNS queries if no address of the router's network is free. It is reserved for
/// documentation (RFC 5737). The router has a route to it.
pub(super) const REMOTE_RESOLVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Index of the clients' interface.
pub(super) const CLIENT_END: u32 = 11;

/// Moves this process into its own mount and network namespaces. If the process is not privileged, it also enters a user
/// namespace in which it is root. The process must have a single thread.
///
/// # Errors
/// Returns an error if the kernel refuses. The message names the settings that allow the namespaces.
pub fn enter() -> Result<(), String> {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    let own = UnshareFlags::NEWNS | UnshareFlags::NEWNET;
    // SAFETY: the flags do not unshare file descriptors.
    let privileged = uid == 0 && unsafe { unshare_unsafe(own) }.is_ok();
    if !privileged {
        // SAFETY: the flags do not unshare file descriptors.
        unsafe { unshare_unsafe(own | UnshareFlags::NEWUSER) }.map_err(|error| {
            format!(
                "`live` needs user, mount and network namespaces, and the kernel refuses them: {error}. Allow them (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone or \
                 kernel.apparmor_restrict_unprivileged_userns; in a container: --privileged), or run this as root"
            )
        })?;
        let map = |file: &str, text: String| {
            std::fs::write(format!("/proc/self/{file}"), text)
                .map_err(|error| format!("/proc/self/{file}: {error}"))
        };
        map("setgroups", "deny".to_owned())?;
        map("uid_map", format!("0 {uid} 1\n"))?;
        map("gid_map", format!("0 {gid} 1\n"))?;
    }
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private).map_err(|error| format!("making mounts private: {error}"))
}

/// Moves this thread, and the processes that it starts afterwards, into an empty network namespace.
///
/// # Errors
/// Returns an error if the kernel refuses.
pub(super) fn unshare() -> io::Result<()> {
    // SAFETY: the flag does not unshare file descriptors.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.map_err(Into::into)
}

/// A netlink socket that configures the network of one namespace.
#[derive(Debug)]
pub(super) struct Kernel {
    socket: Socket,
}

impl Kernel {
    /// Opens a socket in this thread's namespace.
    ///
    /// # Errors
    /// Returns an error if the kernel does not support netlink.
    pub(super) fn new() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket })
    }

    /// Creates the two interfaces, brings them up, and adds the router's addresses.
    ///
    /// # Errors
    /// Returns an error if the kernel refuses. The message names the failed step.
    pub(super) fn build(&self, network: &Network, name: &str) -> io::Result<()> {
        let mut router = link(ROUTER_END);
        router.attributes.push(LinkAttribute::IfName(name.to_owned()));
        router.attributes.push(LinkAttribute::Address(network.mac.to_vec()));
        let mut clients = link(CLIENT_END);
        clients.attributes.push(LinkAttribute::IfName("clients".to_owned()));
        clients.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(router))),
        ]));
        let new = NLM_F_CREATE | NLM_F_EXCL;
        let created = self.ask(RouteNetlinkMessage::NewLink(clients), new);
        created.map_err(|error| {
            io::Error::other(format!("creating a virtual Ethernet pair (veth): {error}"))
        })?;
        for index in [ROUTER_END, CLIENT_END] {
            // Without an automatic link-local address, there is no duplicate address detection to wait for.
            let mut no_autoconf = link(index);
            let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
            no_autoconf
                .attributes
                .push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])]));
            // A kernel without IPv6 refuses this, which matters only if the router has IPv6 addresses.
            let result = self.ask(RouteNetlinkMessage::SetLink(no_autoconf), 0);
            if !network.v6.is_empty() {
                step("disabling automatic IPv6 addresses", result)?;
            }
        }
        // The harness answers ARP requests itself; the kernel must not.
        step("bringing up the clients' interface", self.up(CLIENT_END, LinkFlags::Noarp))?;
        step("bringing up the router's interface", self.up(ROUTER_END, LinkFlags::empty()))?;
        for (address, prefix) in &network.v4 {
            step("adding an IPv4 address", self.address(IpAddr::V4(*address), *prefix))?;
        }
        if !network.v4.is_empty() {
            step("adding a route", self.route(REMOTE_RESOLVER))?;
        }
        if !network.v6.is_empty() {
            let local = IpAddr::V6(packets::link::link_local(network.mac));
            step("adding a link-local address", self.address(local, 64))?;
        }
        for (address, prefix) in &network.v6 {
            step("adding an IPv6 address", self.address(IpAddr::V6(*address), *prefix))?;
        }
        step("waiting for the interfaces", self.wait_until_operational())
    }

    /// Waits until both interfaces transmit frames. An interface drops outgoing frames until the kernel has handled its
    /// carrier event (`linkwatch_do_dev` in net/core/link_watch.c calls `dev_activate`, then reports the operational state).
    fn wait_until_operational(&self) -> io::Result<()> {
        let mut events = Socket::new(NETLINK_ROUTE)?;
        events.bind(&SocketAddr::new(0, RTMGRP_LINK))?;
        let deadline = Instant::now() + OPERATIONAL_LIMIT;
        loop {
            // The socket has subscribed before this query, so no change is missed.
            if self.is_operational(ROUTER_END)? && self.is_operational(CLIENT_END)? {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut fds = [PollFd::from_borrowed_fd(events.as_fd(), PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Err(io::Error::other("they do not become operational")),
                Ok(_) => drop(events.recv_from_full()?),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_operational(&self, index: u32) -> io::Result<bool> {
        match self.exchange(RouteNetlinkMessage::GetLink(link(index)), NLM_F_REQUEST)? {
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(message)) => {
                Ok(message.attributes.contains(&LinkAttribute::OperState(State::Up)))
            }
            NetlinkPayload::Error(error) => Err(error.to_io()),
            _ => Err(io::Error::other("netlink did not describe the interface")),
        }
    }

    /// Removes both interfaces. The kernel then also removes their neighbor and route entries.
    ///
    /// # Errors
    /// Returns an error if they do not exist.
    pub(super) fn remove(&self) -> io::Result<()> {
        step("removing the interfaces", self.ask(RouteNetlinkMessage::DelLink(link(CLIENT_END)), 0))
    }

    fn up(&self, index: u32, more: LinkFlags) -> io::Result<()> {
        let mut up = link(index);
        up.header.flags = LinkFlags::Up | more;
        up.header.change_mask = LinkFlags::Up | LinkFlags::Noarp;
        self.ask(RouteNetlinkMessage::SetLink(up), 0)
    }

    fn address(&self, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = match address {
            IpAddr::V4(_) => AddressFamily::Inet,
            IpAddr::V6(_) => AddressFamily::Inet6,
        };
        message.header.prefix_len = prefix;
        message.header.index = ROUTER_END;
        message.header.flags = AddressHeaderFlags::Nodad;
        message.attributes.push(AddressAttribute::Local(address));
        message.attributes.push(AddressAttribute::Address(address));
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        if let IpAddr::V4(address) = address {
            let broadcast =
                address.to_bits() | u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
            message.attributes.push(AddressAttribute::Broadcast(broadcast.into()));
        }
        self.ask(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    fn route(&self, host: Ipv4Addr) -> io::Result<()> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = 32;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.protocol = RouteProtocol::Static;
        message.header.scope = RouteScope::Link;
        message.header.kind = RouteType::Unicast;
        message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(host)));
        message.attributes.push(RouteAttribute::Oif(ROUTER_END));
        self.ask(RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Sends a request and waits for its acknowledgement.
    fn ask(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        match self.exchange(message, NLM_F_REQUEST | NLM_F_ACK | flags)? {
            NetlinkPayload::Error(error) => match error.code {
                None => Ok(()),
                Some(code) => Err(io::Error::from_raw_os_error(code.get().abs())),
            },
            _ => Err(io::Error::other("netlink sent something other than an acknowledgement")),
        }
    }

    /// Sends a request and returns the payload of the answer.
    fn exchange(
        &self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<NetlinkPayload<RouteNetlinkMessage>> {
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        let mut request = NetlinkMessage::new(header, NetlinkPayload::from(message));
        request.finalize();
        let mut buffer = vec![0; request.buffer_len()];
        request.serialize(&mut buffer);
        self.socket.send(&buffer, 0)?;
        let (answer, _) = self.socket.recv_from_full()?;
        let answer: NetlinkMessage<RouteNetlinkMessage> =
            NetlinkMessage::deserialize(&answer).map_err(io::Error::other)?;
        Ok(answer.payload)
    }
}

fn link(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn step(name: &str, result: io::Result<()>) -> io::Result<()> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
}
