//! The folders of a router that survive a reboot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A folder that survives a reboot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PersistentFolder {
    /// Its path. It is empty at first; `/etc` has the few files that programs need.
    Path(String),
    /// A folder that has contents before the first boot.
    Filled(FilledFolder),
}

/// A folder that has contents before the first boot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilledFolder {
    /// Its path.
    pub path: String,
    /// A folder with the contents, as a path relative to this file.
    pub from: String,
}

impl PersistentFolder {
    /// The path on the router.
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) | Self::Filled(FilledFolder { path, .. }) => path,
        }
    }
}

/// What a power cut does to changes of persistent files that were not synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unsynced {
    /// They have reached the medium, because the kernel writes them within seconds. `leaselab crash` explores what else can
    /// happen.
    #[default]
    Kept,
    /// Those of the last script call are lost.
    Lost,
}
