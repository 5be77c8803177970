//! Lease databases that rewrite themselves: each way of doing it, cut at each system call.
//!
//! A [`Strategy`] is a program that keeps leases in files: what it does at its start, for one change, and for a rewrite.
//! Six are emulated over a [`Disk`] that keeps apart what programs see and what is on the medium. [`explore`] cuts the
//! power, or the process, at every call, enumerates what can be left (`survivors.rs`), starts the program again and
//! holds what it finds against what it had acknowledged.

mod case;
mod disk;
mod explore;
mod programs;
mod report;
mod survivors;

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use case::{Explored, declared, run_case};
pub use disk::{Cut, Disk, Step};
pub use explore::explore;
pub use programs::{Found, Program};
pub use report::{Breach, CutKind, Report};

/// Active leases and their ends.
pub type Leases = BTreeMap<Ipv4Addr, u64>;

/// A way of keeping leases in files.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The manual of dhcpd 2 and 3: the live file is renamed to `~`, then the new one moved in.
    OldManual,
    /// dhcpd 4.4: `~` is unlinked, the live file linked to it, the new one renamed over it.
    #[serde(rename = "dhcpd-4.4")]
    Dhcpd44,
    /// dhcpd 4.4 where links are refused: it takes the new file away and goes on writing to it.
    #[serde(rename = "dhcpd-4.4-no-link")]
    Dhcpd44NoLink,
    /// dnsmasq's own lease file: emptied and written again for each change.
    Dnsmasq,
    /// Kea's memfile: a table that is appended to, cleaned up by way of `.1`, `.2`, `.output`, `.completed`.
    Kea,
    /// `lease-update` with `LEASE_STORE=journal:`.
    Ours,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::OldManual, Self::Dhcpd44, Self::Dhcpd44NoLink, Self::Dnsmasq, Self::Kea, Self::Ours];

    /// The name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::OldManual => "old-manual",
            Self::Dhcpd44 => "dhcpd-4.4",
            Self::Dhcpd44NoLink => "dhcpd-4.4-no-link",
            Self::Dnsmasq => "dnsmasq",
            Self::Kea => "kea",
            Self::Ours => "ours",
        }
    }
}

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

/// What a cut cost.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The program does not start, or starts with nothing.
    NoDatabase,
    /// All is as it was at an earlier moment: later acknowledged changes are gone.
    Old,
    /// A record that is not whole was taken, or cost leases.
    Torn,
    /// An acknowledged lease is gone or has an earlier end.
    Lost,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoDatabase, Self::Old, Self::Torn, Self::Lost];

    /// The name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoDatabase => "no-database",
            Self::Old => "old",
            Self::Torn => "torn",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
