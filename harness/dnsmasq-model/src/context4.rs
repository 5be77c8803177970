//! The IPv4 ranges that apply to a message (dhcp.c `complete_context`, rfc2131.c `dhcp_reply`).

use std::net::Ipv4Addr;

use super::client4::Client4;
use super::config::ServerConfig;
use super::netmask::netmask;
use super::network::Network;
use super::range::Range4;

/// A range that applies to a message, with its netmask.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context4<'a> {
    pub(crate) range: &'a Range4,
    /// Index of the range in the configuration.
    pub(crate) index: usize,
    pub(crate) mask: Ipv4Addr,
    /// The address of the server or relay in the range, which is never assigned.
    pub(crate) router: Option<Ipv4Addr>,
}

/// Returns the ranges that apply to a message from the server's own network, from relay `giaddr`, or from a client with
/// address `ciaddr` (dhcp.c `complete_context` and the search in `dhcp_reply`). If there are none, the server does not
/// reply.
pub(crate) fn contexts<'a>(
    config: &'a ServerConfig,
    network: &Network,
    client: &Client4,
    ciaddr: Option<Ipv4Addr>,
) -> Vec<Context4<'a>> {
    let giaddr = client.relay;
    let all = || config.ranges4.iter().enumerate();
    let spans = |range: &Range4, addr, mask| range.is_in(addr, mask);
    let mut local = Vec::new();
    for (index, range) in all() {
        let own = network.addresses4(client.interface).iter().find_map(|(own, prefix)| {
            let mask = range.netmask.unwrap_or_else(|| netmask(*prefix));
            spans(range, *own, mask).then_some((*own, mask))
        });
        if let Some((own, mask)) = own {
            local.insert(0, Context4 { range, index, mask, router: Some(own) });
        }
    }
    let Some(addr) = giaddr.or(ciaddr) else { return local };
    if giaddr.is_none() && local.iter().any(|c| spans(c.range, addr, c.mask)) {
        return local;
    }
    let mut found = Vec::new();
    for (index, range) in all() {
        let on_link = local.iter().find(|c| c.index == index);
        let mask = range.netmask.or(on_link.map(|c| c.mask)).or_else(|| class_mask(range));
        if let Some(mask) = mask
            && spans(range, addr, mask)
        {
            let router = on_link.and_then(|c| c.router).or(giaddr);
            found.insert(0, Context4 { range, index, mask, router });
        }
    }
    if found.is_empty() && giaddr.is_none() { local } else { found }
}

/// Returns the netmask of the address class, which is used for a relayed network (`dhcp_reply`).
fn class_mask(range: &Range4) -> Option<Ipv4Addr> {
    let class = |addr: Ipv4Addr| match addr.octets()[0] {
        0..=127 => Some(8),
        128..=191 => Some(16),
        192..=223 => Some(24),
        _ => None,
    };
    let prefix = class(range.start)?;
    (class(range.end) == Some(prefix)).then(|| netmask(prefix))
}
