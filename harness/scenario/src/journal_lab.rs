//! The `[journal]` section: a program that rewrites its lease database on a simulated disk.

use std::fmt;

use disk_model::WriteOrdering;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a program replaces its lease database on disk.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// As described in the manual of dhcpd 2 and 3: rename `dhcpd.leases` to `dhcpd.leases~`, then move the new file into its
    /// place.
    OldManual,
    /// dhcpd 4.4: remove `dhcpd.leases~`, link `dhcpd.leases` to it, then rename the new file over `dhcpd.leases`.
    #[serde(rename = "dhcpd-4.4")]
    Dhcpd44,
    /// dhcpd 4.4 on a file system without hard links: it removes the new file but continues to write to it.
    #[serde(rename = "dhcpd-4.4-no-link")]
    Dhcpd44NoLink,
    /// The lease file of dnsmasq: truncated and rewritten after each change.
    Dnsmasq,
    /// The memfile of Kea: changes are appended, and a cleanup goes through the files `.1`, `.2`, `.output` and `.completed`.
    Kea,
    /// `lease-update` with `LEASE_STORE=journal:`.
    Ours,
}

impl Strategy {
    /// All strategies.
    pub const ALL: [Self; 6] =
        [Self::OldManual, Self::Dhcpd44, Self::Dhcpd44NoLink, Self::Dnsmasq, Self::Kea, Self::Ours];

    /// Returns the name in scenario files.
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

/// A loss that a power cut causes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The program does not start, or starts without any lease.
    NoDatabase,
    /// The database is in an earlier state: changes that were acknowledged later are lost.
    Old,
    /// An incomplete record was accepted, or made the program discard leases.
    Torn,
    /// An acknowledged lease is missing or ends earlier than acknowledged.
    Lost,
}

impl Loss {
    /// All kinds of losses.
    pub const ALL: [Self; 4] = [Self::NoDatabase, Self::Old, Self::Torn, Self::Lost];

    /// Returns the name in scenario files.
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

/// What happens to a program and its disk.
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
pub enum DiskFaults {
    /// Power is cut, or the process is killed, at each system call that changes the disk.
    #[default]
    Cuts,
    /// Each system call fails, once or from then on, with EIO or ENOSPC.
    IoErrors,
    /// Bytes change on the medium, and blocks are erased or written to the wrong place. A loss counts if the program
    /// does not report the damage, or reads a lease that never existed.
    Damage,
}

impl DiskFaults {
    /// Returns the name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cuts => "cuts",
            Self::IoErrors => "I/O errors",
            Self::Damage => "cases of damage",
        }
    }
}

/// A program that rewrites its lease database and is disturbed at each of its system calls.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JournalLab {
    /// How the program replaces its lease database.
    pub strategy: Strategy,
    /// How the file system treats changes that were not synced: `ordered` (default) or `reordering`.
    #[serde(default)]
    pub write_ordering: WriteOrdering,
    /// What happens to the program and its disk: `cuts` (default), `io-errors` or `damage`.
    #[serde(default)]
    pub faults: DiskFaults,
    /// The losses that the faults cause. The run fails if any other loss occurs, or if a listed loss does not occur.
    #[serde(default)]
    pub loses: JournalLosses,
    /// The window between two system calls in which a power cut leaves no database.
    pub window: Option<CallWindow>,
}

/// The losses that faults cause, for each behaviour of the file system.
#[derive(Clone, Debug, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct JournalLosses {
    /// Losses with `write-ordering = "ordered"`.
    pub ordered: Vec<Loss>,
    /// Losses with `write-ordering = "reordering"`.
    pub reordering: Vec<Loss>,
}

/// The time between two system calls, each written for example as `rename dhcpd.leases dhcpd.leases~`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallWindow {
    /// The system call after which the window begins.
    pub after: String,
    /// The system call that ends the window.
    pub before: String,
}
