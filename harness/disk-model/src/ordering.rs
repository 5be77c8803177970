//! The order in which changes reach the medium.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of the changes that were not synced can survive a power cut. This depends on the file system.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Deserialize,
    Serialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum WriteOrdering {
    /// Changes reach the medium in order, and `fsync` of a file also syncs all names (as ext4 does).
    #[default]
    Ordered,
    /// Changes reach the medium in any order or not at all, names and contents independently, and `fsync` of a file syncs
    /// only its contents (as POSIX allows).
    Reordering,
}
