//! Words of a `[journal]` section.

use std::fmt;

use disk_model::WriteOrdering;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// A way of keeping leases in files, under test.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JournalLab {
    /// Which one.
    pub strategy: Strategy,
    /// What the file system does with what was not synced.
    #[serde(default)]
    pub files: WriteOrdering,
    /// What cuts may cost, and do: a loss that is not named fails the run, and so does one that no cut shows.
    #[serde(default)]
    pub loses: JournalLosses,
    /// A window in which a cut leaves no database.
    pub window: Option<CallWindow>,
}

/// What cuts cost, by what the file system does.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct JournalLosses {
    /// With `files = "ordered"`.
    pub ordered: Vec<Loss>,
    /// With `files = "reordering"`.
    pub reordering: Vec<Loss>,
}

/// The time between two system calls, as `rename dhcpd.leases dhcpd.leases~`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallWindow {
    /// The call after which it begins.
    pub after: String,
    /// The call with which it ends.
    pub before: String,
}
