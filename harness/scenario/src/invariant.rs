//! The invariants of a lease script.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a lease script must keep.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// Once the script returned 0 for an event, `init` after any later power cut shows it.
    Durability,
    /// A cut during an event leaves that address as before or as after, every other untouched.
    Atomicity,
    /// `init` exits 0 and prints only lines that dnsmasq reads.
    Parsability,
    /// No other NVRAM variable is lost, changed or added.
    Neighbours,
    /// With no cut, after every event, `init` prints the engine's own leases.
    Agreement,
    /// No flash operation where nothing that is stored changed.
    Thrift,
}

impl Invariant {
    /// The name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Durability => "durability",
            Self::Atomicity => "atomicity",
            Self::Parsability => "parsability",
            Self::Neighbours => "neighbours",
            Self::Agreement => "agreement",
            Self::Thrift => "thrift",
        }
    }
}
