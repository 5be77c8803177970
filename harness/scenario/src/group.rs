//! Groups of properties of a lease script, each of which has one verdict in a report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::invariant::Invariant;

/// A group of properties of a lease script. A report has one verdict for each group.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Leases survive reboots and power cuts.
    Survives,
    /// An interrupted call leaves each lease in its state before or after the call.
    Atomic,
    /// dnsmasq reads the output of `init` as intended.
    StartUpOutput,
    /// NVRAM variables of other programs keep their values.
    OtherSettings,
    /// A full NVRAM loses no stored lease.
    FullNvram,
    /// Hostile and unusual host names and client-ids are stored correctly, or not at all.
    HostileNames,
    /// Leases survive jumps of the clock, with both builds of dnsmasq.
    ClockJumps,
    /// DHCPv6 leases are stored.
    Dhcpv6,
    /// Another program uses the NVRAM at the same time.
    SharedNvram,
    /// The script writes to the flash only if stored data has changed.
    WriteEconomy,
}

impl Group {
    /// All groups, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Survives,
        Self::Atomic,
        Self::StartUpOutput,
        Self::OtherSettings,
        Self::FullNvram,
        Self::HostileNames,
        Self::ClockJumps,
        Self::Dhcpv6,
        Self::SharedNvram,
        Self::WriteEconomy,
    ];

    /// Returns the name in scenario files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Survives => "survives",
            Self::Atomic => "atomic",
            Self::StartUpOutput => "start-up-output",
            Self::OtherSettings => "other-settings",
            Self::FullNvram => "full-nvram",
            Self::HostileNames => "hostile-names",
            Self::ClockJumps => "clock-jumps",
            Self::Dhcpv6 => "dhcpv6",
            Self::SharedNvram => "shared-nvram",
            Self::WriteEconomy => "write-economy",
        }
    }

    /// Returns the property in words, as a heading for a report.
    pub fn title(self) -> &'static str {
        match self {
            Self::Survives => "survives reboot and power cut",
            Self::Atomic => "atomic",
            Self::StartUpOutput => "start-up output that dnsmasq reads",
            Self::OtherSettings => "other settings kept",
            Self::FullNvram => "full NVRAM",
            Self::HostileNames => "hostile and unusual names",
            Self::ClockJumps => "clock jumps",
            Self::Dhcpv6 => "DHCPv6",
            Self::SharedNvram => "NVRAM shared with other programs",
            Self::WriteEconomy => "write economy",
        }
    }

    /// Returns the group of a violated invariant in a scenario of the group `scenario`.
    ///
    /// Redundant writes always belong to [`Group::WriteEconomy`], because they are not a failure of the property that
    /// the scenario tests.
    pub fn of_invariant(invariant: Invariant, scenario: Option<Self>) -> Self {
        let default = match invariant {
            Invariant::NoRedundantWrites => return Self::WriteEconomy,
            Invariant::Durability | Invariant::Agreement => Self::Survives,
            Invariant::Atomicity => Self::Atomic,
            Invariant::Parsability => Self::StartUpOutput,
            Invariant::Neighbours => Self::OtherSettings,
        };
        scenario.unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_scenario_files() {
        for group in Group::ALL {
            let json = serde_json::to_string(&group).expect("a unit variant is a string");
            assert_eq!(json, format!("\"{}\"", group.name()));
        }
    }

    #[test]
    fn redundant_writes_belong_to_write_economy_in_every_scenario() {
        for scenario in [None, Some(Group::FullNvram)] {
            let group = Group::of_invariant(Invariant::NoRedundantWrites, scenario);
            assert_eq!(group, Group::WriteEconomy);
        }
    }

    #[test]
    fn a_scenario_decides_the_group_of_other_findings() {
        let of = |scenario| Group::of_invariant(Invariant::Neighbours, scenario);
        assert_eq!(of(None), Group::OtherSettings);
        assert_eq!(of(Some(Group::FullNvram)), Group::FullNvram);
    }
}
