//! Clients that have leases before the first step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::actions::V6;
use crate::units::LeaseTime;

/// A client that has a lease before the first step. Unless `stored` is false, the lease script has stored the lease.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bound {
    /// The name of the client in this file.
    #[schemars(with = "String")]
    pub client: Spanned<String>,
    /// The address of the lease.
    #[schemars(with = "String")]
    pub address: Spanned<String>,
    /// The time until the lease ends, counted from `date` of `[router]`; in a build with HAVE_BROKEN_RTC, the length of the
    /// lease (default: `lease-time` of `[server]`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<LeaseTime>,
    /// Whether the lease script has stored the lease (default true). With `false`, only the client knows the lease, as
    /// after a reset of the router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored: Option<bool>,
    /// The hardware address in hexadecimal with colons (default: as in `join`).
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Spanned<String>>,
    /// The host name of the client (default: its name in this file; `""` for none).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The client-id in hexadecimal with colons (default: 01 and the hardware address; `""` for none).
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Spanned<String>>,
    /// The kind of the DHCPv6 lease: `na` or `ta`. Without it, the client uses DHCPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub v6: Option<V6>,
}

impl Bound {
    /// Returns whether the lease script has stored the lease.
    pub fn is_stored(&self) -> bool {
        self.stored != Some(false)
    }
}
