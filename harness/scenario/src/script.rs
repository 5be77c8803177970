//! The `[script]` section: the lease script under test.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::{Bytes, Seconds};
use crate::unspanned::unspanned;

/// The lease script under test.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Script {
    /// The script: `shell` (lease_update.sh, the default), `rust` (lease-update), `naive` (modelled on the 2006 script), or
    /// the path of a script relative to this file. The option `--script` replaces `shell` and `rust`.
    #[serde(rename = "use")]
    #[schemars(with = "String")]
    pub program: Spanned<String>,
    /// A renewal that moves the expiry by no more than this is not written (`LEASE_SLACK`; default 0s).
    pub slack: Option<Seconds>,
    /// The largest number of leases that `init` prints (`LEASE_MAX`; default 1000; 0 means no limit).
    pub max: Option<u32>,
    /// Whether `init` fails if the NVRAM cannot be read (`LEASE_STRICT`; default false).
    pub strict: Option<bool>,
    /// Free bytes of the NVRAM, for tools that cannot report them (`LEASE_NVRAM_FREE`).
    pub free: Option<Bytes>,
    /// How long each call except `init` runs on the router's clocks after it has stored its lease (default 0s). Until
    /// the call ends, dnsmasq makes no other call. From 2.34 on, calls wait with the data from the time at which they
    /// were queued, and are made even if dnsmasq ends. 2.33 makes one call for all changes of a lease, and drops
    /// waiting changes when it is terminated. Only the modelled dnsmasq supports this key.
    pub call_time: Option<Seconds>,
    /// Further environment variables.
    #[schemars(with = "BTreeMap<String, String>")]
    pub environment: BTreeMap<String, Spanned<String>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            program: unspanned("shell".to_owned()),
            slack: None,
            max: None,
            strict: None,
            free: None,
            call_time: None,
            environment: BTreeMap::new(),
        }
    }
}
