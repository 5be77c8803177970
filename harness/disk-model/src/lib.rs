//! A simulated folder on a disk, and what a power cut can leave of it.

mod disk;
mod survivors;

pub use disk::{Cut, Disk, Step};
pub use survivors::survivors;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a file system does with changes that were not synced.
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
pub enum Files {
    /// They come to the medium in their order; `fsync` of a file brings all names with it (as ext4 does).
    #[default]
    Ordered,
    /// They come in any order or not at all, names and contents apart; `fsync` of a file brings nothing but its contents
    /// (as POSIX allows).
    Reordering,
}
