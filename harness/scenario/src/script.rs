//! The `[script]` section: the lease script under test.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units::{Bytes, Seconds};

/// The lease script under test.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Script {
    /// `shell` (lease_update.sh), `rust` (lease-update), `naive` (after the 2006 script), or the path
    /// of a script, relative to this file. `--script` replaces `shell` and `rust`.
    #[serde(rename = "use")]
    #[schemars(with = "String")]
    pub program: Spanned<String>,
    /// Seconds by which a renewal may move the expiry without a write (LEASE_SLACK).
    pub slack: Option<Seconds>,
    /// How many leases `init` prints at most (LEASE_MAX).
    pub max: Option<u32>,
    /// `init` fails when the NVRAM cannot be read (LEASE_STRICT).
    pub strict: Option<bool>,
    /// Free bytes, where the tool cannot tell them (LEASE_NVRAM_FREE).
    pub free: Option<Bytes>,
    /// Further environment variables.
    #[schemars(with = "BTreeMap<String, String>")]
    pub environment: BTreeMap<String, Spanned<String>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            program: Spanned::new(0..0, "shell".to_owned()),
            slack: None,
            max: None,
            strict: None,
            free: None,
            environment: BTreeMap::new(),
        }
    }
}
