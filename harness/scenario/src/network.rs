//! Networks other than that of the router's first interface.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::LeaseTime;

/// Another network to which dnsmasq leases addresses: behind a relay agent, or on another interface of the router, such as
/// a guest bridge or a VLAN.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtherNetwork {
    /// The name of the network in this file.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The address of the relay agent, if the network is behind one (giaddr).
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<Spanned<String>>,
    /// The router's interface to the network, for example `br1` or `br0.3`, if it is connected to it.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<Spanned<String>>,
    /// The range of addresses, `FIRST-LAST`.
    #[schemars(with = "String")]
    pub range: Spanned<String>,
    /// The length of a lease (default: `lease-time` of `[server]`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_time: Option<LeaseTime>,
}
