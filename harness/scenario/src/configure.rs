//! A change of dnsmasq's configuration during a scenario.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::server::Server;
use crate::units::LeaseTime;

/// A change of dnsmasq's configuration. Settings that it does not name stay unchanged.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Configure {
    /// The range of DHCPv4 addresses, `FIRST-LAST`.
    #[schemars(with = "Option<String>")]
    pub range: Option<Spanned<String>>,
    /// Whether the addresses of the range are leased only to hosts with a `--dhcp-host`.
    pub static_range: Option<bool>,
    /// The length of a lease.
    pub lease_time: Option<LeaseTime>,
    /// The largest number of leases, `--dhcp-lease-max`.
    pub lease_limit: Option<u32>,
    /// The range of DHCPv6 addresses, `FIRST-LAST`; `""` for none.
    #[schemars(with = "Option<String>")]
    pub range6: Option<Spanned<String>>,
    /// Command-line options that replace all `options`.
    #[schemars(with = "Option<Vec<String>>")]
    pub options: Option<Vec<Spanned<String>>>,
    /// Command-line options that are added to `options`.
    #[schemars(with = "Vec<String>")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_options: Vec<Spanned<String>>,
}

impl Configure {
    /// Applies the change to a configuration.
    pub fn apply(&self, server: &mut Server) {
        if let Some(range) = &self.range {
            server.range = Some(range.clone());
        }
        server.static_range = self.static_range.unwrap_or(server.static_range);
        if let Some(time) = self.lease_time {
            server.lease_time = time;
        }
        server.lease_limit = self.lease_limit.or(server.lease_limit);
        if let Some(range6) = &self.range6 {
            server.range6 = Some(range6.clone()).filter(|range| !range.get_ref().is_empty());
        }
        if let Some(options) = &self.options {
            server.options.clone_from(options);
        }
        server.options.extend(self.add_options.iter().cloned());
    }
}
