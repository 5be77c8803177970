//! The invariants of a lease script.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A property that a lease script must have.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// After the script has returned 0 for an event, the output of `init` after any later power cut includes the effect
    /// of the event.
    Durability,
    /// A power cut during an event leaves the lease of that address in its state before or after the event, and does not
    /// change any other lease.
    Atomicity,
    /// `init` exits with 0 and prints only lines that dnsmasq reads as intended.
    Parsability,
    /// No other NVRAM variable is lost, changed or added.
    Neighbours,
    /// Without a power cut, `init` prints exactly the leases of dnsmasq after every event.
    Agreement,
    /// No flash operation happens unless stored data has changed.
    #[serde(alias = "thrift")]
    #[schemars(extend("x-aliases" = ["thrift"]))]
    NoRedundantWrites,
}

impl Invariant {
    /// Returns the name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Durability => "durability",
            Self::Atomicity => "atomicity",
            Self::Parsability => "parsability",
            Self::Neighbours => "neighbours",
            Self::Agreement => "agreement",
            Self::NoRedundantWrites => "no-redundant-writes",
        }
    }
}
