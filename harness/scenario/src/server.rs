//! The `[server]` section: dnsmasq's configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::{LeaseTime, Seconds};

/// dnsmasq's configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Server {
    /// Addresses to lease, `FIRST-LAST`.
    #[schemars(with = "String")]
    pub range: Spanned<String>,
    /// How long a lease lasts.
    pub lease_time: LeaseTime,
    /// `--dhcp-lease-max`; default: dnsmasq's own, 1000.
    pub lease_limit: Option<u32>,
    /// DHCPv6 addresses to lease, `FIRST-LAST`; none: no DHCPv6.
    #[schemars(with = "Option<String>")]
    pub range6: Option<Spanned<String>>,
    /// What the script is told of a client-id or DUID of more than 100 bytes; default: `whole`, and in
    /// `leaselab live` whatever the real one does.
    pub long_ids: Option<LongIds>,
    /// Further options of the dnsmasq command line, as `--domain=lan`.
    #[schemars(with = "Vec<String>")]
    pub options: Vec<Spanned<String>>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            range: Spanned::new(0..0, "192.168.1.50-192.168.1.249".to_owned()),
            lease_time: LeaseTime::Finite(Seconds(12 * 3600)),
            lease_limit: None,
            range6: None,
            long_ids: None,
            options: Vec::new(),
        }
    }
}

/// What the script is told of a long client-id or DUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LongIds {
    /// All of it.
    Whole,
    /// Its first 100 bytes and a colon: dnsmasq since the fix of CVE-2026-4892.
    Cut,
}
