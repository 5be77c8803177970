//! The router's network: a pair of virtual Ethernet interfaces in a network namespace of this thread's own.
//!
//! dnsmasq listens at one end, and has the router's addresses there; the other end is the cable to the clients, which
//! exist only as frames. Nothing of the machine's own network is in this namespace.

use std::io;
use std::net::IpAddr;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoVeth, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{getgid, getuid};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use dnsmasq_model::Network;

/// dnsmasq's end. The lower number: dnsmasq makes its DUID of the first interface that it finds.
const ROUTER: u32 = 10;

/// The clients' end.
pub(super) const CABLE: u32 = 11;

/// Makes this process root in a user namespace, if it is not root anyway, and gives it mounts of its own. The process
/// must have a single thread.
///
/// # Errors
/// What the kernel refused, and the remedy.
pub fn enter() -> Result<(), String> {
    let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
    let own = UnshareFlags::NEWNS | UnshareFlags::NEWNET;
    // SAFETY: the flags do not unshare file descriptors.
    let privileged = uid == 0 && unsafe { unshare_unsafe(own) }.is_ok();
    if !privileged {
        // SAFETY: as above.
        unsafe { unshare_unsafe(own | UnshareFlags::NEWUSER) }.map_err(|error| {
            format!(
                "a live dnsmasq takes user, mount and network namespaces of its own, and this machine refuses \
                 them: {error}. Allow them (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone or \
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

/// Gives this thread an empty network of its own; the processes that it starts later share it.
///
/// # Errors
/// What the kernel refused.
pub(super) fn unshare() -> io::Result<()> {
    // SAFETY: the flag does not unshare file descriptors.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.map_err(Into::into)
}

/// The kernel's network configuration.
#[derive(Debug)]
pub(super) struct Kernel {
    socket: Socket,
}

impl Kernel {
    /// That of this thread's namespace.
    ///
    /// # Errors
    /// Without netlink.
    pub(super) fn new() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket })
    }

    /// Makes the two interfaces, both up, and gives the router its addresses.
    ///
    /// # Errors
    /// What the kernel refused, with the name of the step.
    pub(super) fn build(&self, network: &Network, name: &str) -> io::Result<()> {
        let mut router = link(ROUTER);
        router.attributes.push(LinkAttribute::IfName(name.to_owned()));
        router.attributes.push(LinkAttribute::Address(network.mac.to_vec()));
        let mut cable = link(CABLE);
        cable.attributes.push(LinkAttribute::IfName("cable".to_owned()));
        cable.attributes.push(LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(router))),
        ]));
        let new = NLM_F_CREATE | NLM_F_EXCL;
        let made = self.ask(RouteNetlinkMessage::NewLink(cable), new);
        made.map_err(|error| io::Error::other(format!("no virtual Ethernet (veth): {error}")))?;
        for index in [ROUTER, CABLE] {
            // No address of the kernel's own making: no duplicate address detection to wait for.
            let mut quiet = link(index);
            let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
            quiet
                .attributes
                .push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])]));
            // A machine without IPv6 has none to make, and refuses.
            let quiet = self.ask(RouteNetlinkMessage::SetLink(quiet), 0);
            if !network.v6.is_empty() {
                step("IPv6", quiet)?;
            }
        }
        // The cable's end is no host: it does not resolve addresses.
        step("the cable", self.up(CABLE, LinkFlags::Noarp))?;
        step("the router's interface", self.up(ROUTER, LinkFlags::empty()))?;
        for (address, prefix) in &network.v4 {
            step("an address", self.address(IpAddr::V4(*address), *prefix))?;
        }
        if !network.v6.is_empty() {
            let local = IpAddr::V6(packets::wire::link_local(network.mac));
            step("a link-local address", self.address(local, 64))?;
        }
        for (address, prefix) in &network.v6 {
            step("an IPv6 address", self.address(IpAddr::V6(*address), *prefix))?;
        }
        Ok(())
    }

    /// Takes the interfaces away, and what the kernel remembers of them.
    ///
    /// # Errors
    /// When they are not there.
    pub(super) fn remove(&self) -> io::Result<()> {
        step("removing the cable", self.ask(RouteNetlinkMessage::DelLink(link(CABLE)), 0))
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
        message.header.index = ROUTER;
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

    /// One request and its acknowledgement.
    fn ask(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        let mut request = NetlinkMessage::new(header, NetlinkPayload::from(message));
        request.finalize();
        let mut buffer = vec![0; request.buffer_len()];
        request.serialize(&mut buffer);
        self.socket.send(&buffer, 0)?;
        let (answer, _) = self.socket.recv_from_full()?;
        let answer: NetlinkMessage<RouteNetlinkMessage> =
            NetlinkMessage::deserialize(&answer).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::Error(error) => match error.code {
                None => Ok(()),
                Some(code) => Err(io::Error::from_raw_os_error(code.get().abs())),
            },
            _ => Err(io::Error::other("netlink gave no acknowledgement")),
        }
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
