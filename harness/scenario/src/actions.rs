//! What each kind of step says.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::router::Rtc;
use crate::units::{BootClock, Bytes, LeaseTime, Seconds};

/// Power on.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Boot {
    /// How long the power was off.
    pub off: Option<Seconds>,
    /// What the wall clock shows; default: the router's.
    pub clock: Option<BootClock>,
    /// Whether dnsmasq starts (default true).
    pub dnsmasq: Option<bool>,
    /// From this boot on, dnsmasq is of this build.
    pub rtc: Option<Rtc>,
    /// From this boot on, `--dhcp-lease-max`.
    pub lease_limit: Option<u32>,
}

/// What happens to dnsmasq alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DaemonAction {
    /// It is started.
    Start,
    /// SIGTERM.
    Stop,
    /// SIGKILL.
    Kill,
    /// SIGHUP.
    Sighup,
}

/// A client comes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Join {
    /// Its name in this file; with `count`, the clients are NAME-1, NAME-2, ….
    #[schemars(with = "String")]
    pub client: Spanned<String>,
    /// How many.
    pub count: Option<u32>,
    /// Hardware address; default: made from a running number. `TT-` before it: ARP hardware type.
    #[schemars(with = "Option<String>")]
    pub mac: Option<Spanned<String>>,
    /// Host name; default: the client's name in this file. `""`: none. `\xNN` for any byte.
    pub hostname: Option<String>,
    /// Client-id in hex with colons; default: 01 and the hardware address. `""`: none.
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// The address asked for.
    #[schemars(with = "Option<String>")]
    pub address: Option<Spanned<String>>,
    /// The lease time asked for.
    pub lease_time: Option<LeaseTime>,
    /// BOOTP instead of DHCP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bootp: bool,
    /// DHCPv6: `na` or `ta`.
    pub v6: Option<V6>,
    /// DHCPv6: the client's DUID; default: 00:03:00:01 and the hardware address.
    #[schemars(with = "Option<String>")]
    pub duid: Option<Spanned<String>>,
    /// DHCPv6: the IAID (default 1).
    pub iaid: Option<u32>,
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

/// Something a client does.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientEvent {
    /// Which client, by its name in this file; `*` stands for any characters.
    #[schemars(with = "String")]
    pub client: Spanned<String>,
    /// It has this host name from now on (`""`: sends none).
    pub hostname: Option<String>,
    /// It has this client-id from now on (`""`: sends none).
    #[schemars(with = "Option<String>")]
    pub client_id: Option<Spanned<String>>,
    /// It has this hardware address from now on.
    #[schemars(with = "Option<String>")]
    pub mac: Option<Spanned<String>>,
    /// The address asked for, or given back; default: its own.
    #[schemars(with = "Option<String>")]
    pub address: Option<Spanned<String>>,
    /// The lease time asked for.
    pub lease_time: Option<LeaseTime>,
}

/// A journal of ISC dhcpd.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Journal {
    /// A dhcpd.leases, a folder of its generations, or a `.tar.xz` of them, by a path relative to this file.
    #[schemars(with = "String")]
    pub path: Spanned<String>,
    /// Only so much of it, from its beginning.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub time: Option<Seconds>,
}

/// A raw call of the lease script.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawCall {
    /// The arguments. `\xNN` stands for any byte.
    pub arguments: Vec<String>,
    /// The environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// Where bytes are damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// The flash.
    #[default]
    Flash,
    /// The copy in RAM, where there is one.
    Ram,
}

/// Bytes overwritten behind everybody's back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Damage {
    /// Flash or RAM.
    #[serde(default)]
    pub memory: Memory,
    /// First byte, counted from the NVRAM header.
    pub offset: Bytes,
    /// The new bytes in hex.
    #[schemars(with = "String")]
    pub bytes: Spanned<String>,
    /// How often the bytes are repeated (default 1); all of them must fit into the memory.
    #[schemars(with = "Option<u32>")]
    pub repeat: Option<Spanned<u32>>,
}
