//! The `[server]` section: the configuration of dnsmasq.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::{LeaseTime, Seconds};

/// The configuration of dnsmasq.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Server {
    /// The release of dnsmasq, from `2.33` to `2.92` (default: the newest). `leaselab dnsmasq list` shows what the releases do
    /// differently. Under `leaselab live` and `leaselab qemu`, the default is the release of the real dnsmasq.
    #[schemars(with = "Option<String>")]
    pub dnsmasq: Option<Spanned<String>>,
    /// The range of DHCPv4 addresses, `FIRST-LAST` (default `192.168.1.50-192.168.1.249`).
    #[schemars(with = "String")]
    pub range: Spanned<String>,
    /// The length of a lease (default 12h).
    pub lease_time: LeaseTime,
    /// The largest number of leases, `--dhcp-lease-max` (default 1000, as in dnsmasq).
    pub lease_limit: Option<u32>,
    /// The range of DHCPv6 addresses, `FIRST-LAST`. Without it, the server does not serve DHCPv6.
    #[schemars(with = "Option<String>")]
    pub range6: Option<Spanned<String>>,
    /// How dnsmasq passes a client-id or DUID of more than 100 bytes to the script: `whole` (default) or `cut`. Under
    /// `leaselab live`, the default is the behaviour of the real dnsmasq.
    pub long_ids: Option<LongIds>,
    /// Additional command-line options of dnsmasq, for example `--domain=lan`.
    #[schemars(with = "Vec<String>")]
    pub options: Vec<Spanned<String>>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            dnsmasq: None,
            range: Spanned::new(0..0, "192.168.1.50-192.168.1.249".to_owned()),
            lease_time: LeaseTime::Finite(Seconds(12 * 3600)),
            lease_limit: None,
            range6: None,
            long_ids: None,
            options: Vec::new(),
        }
    }
}

/// How dnsmasq passes a long client-id or DUID to the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LongIds {
    /// Complete.
    Whole,
    /// Its first 100 bytes and a colon, as dnsmasq does since the fix of CVE-2026-4892.
    Cut,
}
