//! A configured host.

use std::net::Ipv4Addr;

use super::host_address6::HostAddress6;
use super::hw_addr::HwAddr;
use super::hw_pattern::HwPattern;
use super::text::Text;

/// A `--dhcp-host` (`struct dhcp_config`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// Hardware addresses.
    pub hardware: Vec<HwPattern>,
    /// Client identifier or DUID, from `id:`.
    pub clid: Option<Text>,
    /// `id:*`: the client identifier is not used.
    pub no_clid: bool,
    /// `set:` and `net:` tags.
    pub set: Vec<String>,
    /// `tag:` filter.
    pub filter: Vec<String>,
    /// IPv4 address.
    pub addr: Option<Ipv4Addr>,
    /// IPv6 addresses in brackets.
    pub addr6: Vec<HostAddress6>,
    /// Host name, first label.
    pub name: Option<Text>,
    /// Lease time in seconds.
    pub lease_time: Option<u32>,
    /// `ignore`: dnsmasq does not reply to the host.
    pub ignore: bool,
}

/// Returns whether the host has this hardware address, without wildcards (dhcp-common.c `config_has_mac`).
pub(crate) fn config_has_mac(host: &Host, hw: &HwAddr) -> bool {
    host.hardware.iter().any(|p| {
        p.wildcards == 0 && p.hw.bytes() == hw.bytes() && (p.hw.kind == hw.kind || p.hw.kind == 0)
    })
}
