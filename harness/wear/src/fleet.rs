//! The counts of many households, and merging the parts of a fleet.

use serde::{Deserialize, Serialize};

use super::household::Household;

/// All inputs of the counts of a fleet. Only parts with equal plans can be merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetPlan {
    /// Version of `leaselab`.
    pub leaselab: String,
    /// Number of households.
    pub households: u32,
    /// Seed of the households.
    pub seed: u64,
    /// The household from which all others are varied.
    pub typical: Household,
    /// Builds of dnsmasq, all equally likely.
    pub rtc: Vec<String>,
    /// The dialect of the routers.
    pub dialect: String,
    /// The chip of the routers.
    pub chip: String,
    /// Size of the NVRAM, in bytes.
    pub space: u32,
    /// Bytes of other programs' variables.
    pub neighbours: u32,
    /// Erase cycles that a block endures.
    pub endurance: u32,
    /// Scripts. Every household is counted with each of them.
    pub scripts: Vec<String>,
    /// Time to simulate for each household, in seconds.
    pub seconds: u64,
}

/// One household and its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetEntry {
    /// The number of the household, starting at 0.
    pub index: u32,
    /// The build: `good` or `broken`.
    pub rtc: String,
    /// Clients that are always on.
    pub clients: u32,
    /// Lease time, in seconds.
    pub lease_time: u32,
    /// Power cuts a year.
    pub power_cuts: u32,
    /// The counts of each script.
    pub counts: Vec<ScriptCounts>,
}

/// The counts of one household with one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptCounts {
    /// Script calls.
    pub calls: u64,
    /// Commits.
    pub commits: u64,
    /// Erases of the block with the most erases.
    pub erases: u64,
    /// Time during which a power cut loses all settings, in microseconds.
    pub fatal: u64,
}

/// The counts of a fleet, or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// The inputs of the counts.
    pub plan: FleetPlan,
    /// The households that were counted, in the order of their numbers.
    #[serde(rename = "members")]
    pub entries: Vec<FleetEntry>,
}

/// Why parts cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There are no parts.
    #[error("no parts to merge")]
    NoParts,
    /// The plans of the parts differ.
    #[error("the parts belong to different fleets")]
    DifferentFleets,
    /// A household occurs in two parts.
    #[error("household {0} occurs twice: merge each part only once")]
    Duplicate(u32),
    /// A household does not occur in any part.
    #[error("household {0} is missing: merge all parts of the fleet")]
    Missing(u32),
    /// A household has too few or too many counts.
    #[error("household {0} was not counted with every script")]
    WrongScripts(u32),
    /// There are more households than in the fleet.
    #[error("household {0} does not belong to a fleet of {1} households")]
    Unexpected(u32, u32),
}

impl Fleet {
    /// Merges the parts of a fleet.
    ///
    /// # Errors
    /// Returns an error if the parts belong to different fleets, if a household does not occur exactly once, or if its
    /// counts do not match the scripts of the plan.
    pub fn merge(parts: Vec<Self>) -> Result<Self, MergeError> {
        let mut parts = parts.into_iter();
        let mut whole = parts.next().ok_or(MergeError::NoParts)?;
        for part in parts {
            if part.plan != whole.plan {
                return Err(MergeError::DifferentFleets);
            }
            whole.entries.extend(part.entries);
        }
        whole.entries.sort_by_key(|entry| entry.index);
        let households = whole.plan.households;
        for (expected, entry) in (0..).zip(&whole.entries) {
            if entry.index < expected {
                return Err(MergeError::Duplicate(entry.index));
            }
            if entry.index > expected {
                return Err(MergeError::Missing(expected));
            }
            if entry.index >= households {
                return Err(MergeError::Unexpected(entry.index, households));
            }
            if entry.counts.len() != whole.plan.scripts.len() {
                return Err(MergeError::WrongScripts(expected));
            }
        }
        match u32::try_from(whole.entries.len()) {
            Ok(found) if found < households => Err(MergeError::Missing(found)),
            _ => Ok(whole),
        }
    }

    /// Returns the fleet as a JSON object. Equal fleets give equal bytes.
    ///
    /// # Panics
    /// Never panics, because a fleet contains only numbers and strings.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("numbers and strings");
        text.push('\n');
        text
    }
}
