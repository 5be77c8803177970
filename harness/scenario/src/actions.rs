//! The parameters of each action.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::router::Rtc;
use crate::units::{BootClock, Bytes, LeaseTime, Seconds};

/// The router is switched on.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Boot {
    /// How long the router was off before this boot (default 0s).
    pub off: Option<Seconds>,
    /// The reading of the wall clock at boot (default: `clock` of `[router]`).
    pub clock: Option<BootClock>,
    /// Whether dnsmasq is started (default true).
    pub dnsmasq: Option<bool>,
    /// How dnsmasq is compiled from this boot on.
    pub rtc: Option<Rtc>,
    /// The release of dnsmasq from this boot on, as after an upgrade of the firmware.
    #[schemars(with = "Option<String>")]
    pub dnsmasq_release: Option<Spanned<String>>,
    /// The largest number of leases from this boot on, `--dhcp-lease-max`.
    pub lease_limit: Option<u32>,
}

/// What happens to dnsmasq while the router stays on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DaemonAction {
    /// dnsmasq is started.
    Start,
    /// dnsmasq is terminated with SIGTERM.
    Stop,
    /// dnsmasq is killed with SIGKILL.
    Kill,
    /// dnsmasq is terminated with SIGTERM and started again.
    Restart,
    /// dnsmasq receives SIGHUP and reloads its configuration files.
    Sighup,
}

/// One or more new clients on the network.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Join {
    /// The name of the client in this file. With `count`, the clients are named NAME-1, NAME-2, …
    #[schemars(with = "String")]
    pub client: Spanned<String>,
    /// Number of clients (default 1).
    pub count: Option<u32>,
    /// The hardware address in hexadecimal with colons (default: generated, a different one for each client). A prefix `TT-`
    /// is the ARP hardware type.
    #[schemars(with = "Option<String>")]
    pub mac: Option<Spanned<String>>,
    /// The host name that the client sends (default: its name in this file; `""` for none). `\xNN` stands for any byte.
    pub hostname: Option<String>,
    /// The client-id in hexadecimal with colons (default: 01 and the hardware address; `""` for none).
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// The address that the client requests (default: no particular address).
    #[schemars(with = "Option<String>")]
    pub address: Option<Spanned<String>>,
    /// The lease time that the client requests (default: no particular lease time).
    pub lease_time: Option<LeaseTime>,
    /// Whether the client uses BOOTP instead of DHCP (default false).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bootp: bool,
    /// The kind of the DHCPv6 lease: `na` or `ta`. Without it, the client uses DHCPv4.
    pub v6: Option<V6>,
    /// The DHCPv6 DUID in hexadecimal with colons (default: 00:03:00:01 and the hardware address).
    #[schemars(with = "Option<String>")]
    pub duid: Option<Spanned<String>>,
    /// The DHCPv6 IAID (default 1).
    pub iaid: Option<u32>,
    /// The name of the `[[network]]` to which the client is connected (default: the network of the router's first
    /// interface).
    #[schemars(with = "Option<String>")]
    pub network: Option<Spanned<String>>,
    /// The vendor class that the client sends, option 60 (default: none).
    pub vendor_class: Option<String>,
    /// The user class that the client sends, option 77 (default: none).
    pub user_class: Option<String>,
}

/// The kind of a DHCPv6 lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum V6 {
    /// Non-temporary address (IA_NA).
    Na,
    /// Temporary address (IA_TA).
    Ta,
}

/// A message or a change of a client that joined in an earlier step.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientEvent {
    /// The name of the client in this file; `*` stands for any characters.
    #[schemars(with = "String")]
    pub client: Spanned<String>,
    /// The client's host name from now on (`""` for none).
    pub hostname: Option<String>,
    /// The client-id from now on, in hexadecimal with colons (`""` for none).
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// The hardware address from now on, in hexadecimal with colons.
    #[schemars(with = "Option<String>")]
    pub mac: Option<Spanned<String>>,
    /// The address that the client requests, releases or declines (default: the address of its lease).
    #[schemars(with = "Option<String>")]
    pub address: Option<Spanned<String>>,
    /// The lease time that the client requests.
    pub lease_time: Option<LeaseTime>,
}

/// A lease journal of ISC dhcpd.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Journal {
    /// The path, relative to this file, of a `dhcpd.leases` file, of a folder with copies of it over time, or of a
    /// `.tar.xz` archive of such a folder.
    #[schemars(with = "String")]
    pub path: Spanned<String>,
    /// How much time of the journal is replayed from its beginning (default: all).
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub time: Option<Seconds>,
}

/// A call of the lease script with given arguments.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawCall {
    /// The arguments, for example `["add", "02:00:00:00:00:01", "192.168.1.57"]`. `\xNN` stands for any byte.
    pub arguments: Vec<String>,
    /// Environment variables of the call, by name. `\xNN` stands for any byte.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// The memory whose bytes are overwritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// The flash.
    #[default]
    Flash,
    /// The copy of the NVRAM in RAM, for dialects that have one.
    Ram,
}

/// Bytes of the NVRAM that are overwritten without the `nvram` tool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Damage {
    /// The memory: `flash` (default) or `ram`.
    #[serde(default)]
    pub memory: Memory,
    /// Offset in bytes of the first overwritten byte from the NVRAM header.
    pub offset: Bytes,
    /// The new bytes in hexadecimal, for example `ff:00`.
    #[schemars(with = "String")]
    pub bytes: Spanned<String>,
    /// How many times the bytes are repeated (default 1). All of them must fit into the memory.
    #[schemars(with = "Option<u32>")]
    pub repeat: Option<Spanned<u32>>,
}
