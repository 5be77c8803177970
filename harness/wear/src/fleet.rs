//! Many households, drawn from one seed; in parts, if need be, that add up to the very same.

use std::fmt::Write as _;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cost_model::CostModel;
use super::household::{Household, YEAR};
use super::router::{RouterSpec, Script};
use super::study::{WearError, build_name, count_each};
use super::table::years;
use dnsmasq_model::Build;
use scenario::DeterministicRng;
use scenario::Seconds;

/// What a fleet is drawn from. Two results can be merged when theirs are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of `leaselab`.
    pub leaselab: String,
    /// Number of households.
    pub households: u32,
    /// Seed of the draw.
    pub seed: u64,
    /// The household around which they are drawn.
    pub typical: Household,
    /// Builds, drawn evenly.
    pub rtc: Vec<String>,
    /// The routers' dialect.
    pub dialect: String,
    /// Their chip.
    pub chip: String,
    /// NVRAM size, bytes.
    pub space: u32,
    /// Bytes of other variables.
    pub neighbours: u32,
    /// Erase cycles that a block is good for.
    pub endurance: u32,
    /// Scripts; every household is counted with each.
    pub scripts: Vec<String>,
    /// Time that each household is gone through, seconds.
    pub seconds: u64,
}

/// One household and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetEntry {
    /// Number, from 0.
    pub index: u32,
    /// `good` or `broken`.
    pub rtc: String,
    /// Clients that are always on.
    pub clients: u32,
    /// Lease time, seconds.
    pub lease_time: u32,
    /// Power cuts a year.
    pub power_cuts: u32,
    /// One for each script.
    pub counts: Vec<Counts>,
}

/// What counts of a household's wear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Script calls.
    pub calls: u64,
    /// Commits.
    pub commits: u64,
    /// Erases of the busiest block.
    pub erases: u64,
    /// Time in which a power cut takes all settings along, microseconds.
    pub fatal: u64,
}

/// A fleet, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// What it is drawn from.
    pub plan: Plan,
    /// The households that were counted, by their numbers.
    pub members: Vec<FleetEntry>,
}

/// Parts that do not make a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoWhole(String);

/// What a fleet is made of, beside its plan.
#[derive(Clone, Debug)]
pub struct FleetSpec {
    /// The household around which all are drawn.
    pub typical: Household,
    /// How many.
    pub households: u32,
    /// Of the dice.
    pub seed: u64,
    /// How long each, seconds.
    pub seconds: u64,
    /// Builds, drawn evenly.
    pub builds: Vec<Build>,
    /// The router.
    pub router: RouterSpec,
    /// The scripts.
    pub scripts: Vec<Script>,
    /// Erase cycles that a block is good for.
    pub endurance: u32,
}

impl FleetSpec {
    fn plan(&self) -> Plan {
        Plan {
            leaselab: env!("CARGO_PKG_VERSION").to_owned(),
            households: self.households,
            seed: self.seed,
            typical: self.typical.clone(),
            rtc: self.builds.iter().map(|build| build_name(*build).to_owned()).collect(),
            dialect: self.router.dialect.name().to_owned(),
            chip: self.router.chip.name.to_owned(),
            space: self.router.space,
            neighbours: self.router.neighbours,
            endurance: self.endurance,
            scripts: self.scripts.iter().map(|script| script.name()).collect(),
            seconds: self.seconds,
        }
    }

    /// Household `index`, its build and its own seed: the same whatever part it is counted in.
    fn member(&self, index: u32) -> (Household, Build, u64) {
        let mut dice = DeterministicRng::new(
            self.seed ^ (u64::from(index) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        );
        let mut some = |typical: u32| {
            let typical = u64::from(typical);
            dice.between(typical / 2, typical + typical / 2) as u32
        };
        let h = &self.typical;
        let mut drawn = Household {
            clients: some(h.clients),
            phones: some(h.phones),
            phone_home: some(h.phone_home).max(1),
            phone_away: some(h.phone_away).max(1),
            guests: some(h.guests),
            guest_stay: some(h.guest_stay).max(1),
            reboots: some(h.reboots * 2) / 2,
            sighups: some(h.sighups),
            power_cuts: some(h.power_cuts * 2) / 2,
            ..h.clone()
        };
        if drawn.clients + drawn.phones + drawn.guests == 0 {
            drawn.clients = 1;
        }
        drawn.lease_time = match dice.below(4) {
            0 => (h.lease_time / 2).max(120),
            1 => h.lease_time.saturating_mul(2).min(3_153_600_000),
            _ => h.lease_time,
        };
        let build = self.builds[dice.below(self.builds.len() as u64) as usize];
        let seed = dice.below(u64::MAX);
        (drawn, build, seed)
    }

    /// Counts the households whose number leaves `part` when divided by `of`, on all cores.
    ///
    /// # Errors
    /// A household that cannot be counted.
    pub fn count(&self, cost_model: &CostModel, part: u32, of: u32) -> Result<Fleet, WearError> {
        let members: Result<Vec<FleetEntry>, WearError> = (0..self.households)
            .into_par_iter()
            .filter(|index| index % of == part)
            .map(|index| {
                let (household, build, seed) = self.member(index);
                let counted =
                    count_each(cost_model, &household, build, &self.scripts, seed, self.seconds)?;
                let counts = counted.iter().map(|(wear, _)| Counts {
                    calls: wear.calls,
                    commits: wear.commits,
                    erases: wear.busiest(),
                    fatal: wear.fatal,
                });
                Ok(FleetEntry {
                    index,
                    rtc: build_name(build).to_owned(),
                    clients: household.clients,
                    lease_time: household.lease_time,
                    power_cuts: household.power_cuts,
                    counts: counts.collect(),
                })
            })
            .collect();
        Ok(Fleet { plan: self.plan(), members: members? })
    }
}

impl Fleet {
    /// Puts parts together.
    ///
    /// # Errors
    /// Parts of different fleets, a household that is there twice, or not at all.
    pub fn merge(parts: Vec<Self>) -> Result<Self, NoWhole> {
        let mut parts = parts.into_iter();
        let mut whole = parts.next().ok_or_else(|| NoWhole("no parts to merge".to_owned()))?;
        for part in parts {
            if part.plan != whole.plan {
                return Err(NoWhole("these are parts of different fleets".to_owned()));
            }
            whole.members.extend(part.members);
        }
        whole.members.sort_by_key(|member| member.index);
        for (expected, member) in (0..).zip(&whole.members) {
            if member.index < expected {
                return Err(NoWhole(format!("household {} is there twice", member.index)));
            }
            if member.index > expected {
                return Err(NoWhole(format!("household {expected} is missing: a part is missing")));
            }
            if member.counts.len() != whole.plan.scripts.len() {
                return Err(NoWhole(format!(
                    "household {expected} was not counted with every script"
                )));
            }
        }
        if whole.members.len() != whole.plan.households as usize {
            return Err(NoWhole(format!(
                "{} of {} households: a part is missing",
                whole.members.len(),
                whole.plan.households
            )));
        }
        Ok(whole)
    }

    /// One JSON object, the same bytes for the same fleet.
    ///
    /// # Panics
    /// Never: there is nothing in it that JSON cannot hold.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("numbers and strings");
        text.push('\n');
        text
    }

    /// The report for people.
    pub fn table(&self) -> String {
        let Plan { households, seed, typical, rtc, dialect, chip, seconds, endurance, .. } =
            &self.plan;
        let mut out = format!(
            "fleet      {} of {households} households, seed {seed}, {} each; {dialect} on {chip}, {endurance} erases a \
             block\n\
             drawn      evenly from half to one and a half (stays too) of: {} clients, {} phones, {} guests and {} SIGHUPs a month, \
             {} reboots\n           a month, {} power cuts a year; leases of {} (one in four half of it, one in four \
             twice); rtc {}\n\n",
            self.members.len(),
            Seconds(*seconds),
            typical.clients,
            typical.phones,
            typical.guests,
            typical.sighups,
            typical.reboots,
            typical.power_cuts,
            Seconds(u64::from(typical.lease_time)),
            rtc.join(" or "),
        );
        let _ = writeln!(
            out,
            "{:<6} {:<16} {:>6} {:>11} {:>11} {:>11} {:>11} {:>11}",
            "rtc", "script", "number", "1 %", "10 %", "50 %", "90 %", "99 %"
        );
        for build in rtc {
            for (at, script) in self.plan.scripts.iter().enumerate() {
                self.rows(&mut out, build, script, at);
            }
        }
        out.push_str(
            "\nlife: so many per cent of the households wear a block out within this time. lost: configurations lost \
             to power cuts, a\nmillion router-years: so many per cent of the households lose no more.\n",
        );
        out
    }

    fn rows(&self, out: &mut String, build: &str, script: &str, at: usize) {
        let members: Vec<&FleetEntry> =
            self.members.iter().filter(|member| member.rtc == build).collect();
        if members.is_empty() {
            return;
        }
        let rank = |percent: usize| (members.len() * percent).div_ceil(100).max(1) - 1;
        let yearly = |count: u64| count as f64 * YEAR as f64 / self.plan.seconds.max(1) as f64;
        let mut erases: Vec<u64> = members.iter().map(|member| member.counts[at].erases).collect();
        erases.sort_unstable_by(|a, b| b.cmp(a));
        let _ = write!(out, "{build:<6} {script:<16} {:>6}", members.len());
        for percent in [1, 10, 50, 90, 99] {
            let erases = erases[rank(percent)];
            let life = (erases > 0).then(|| f64::from(self.plan.endurance) / yearly(erases));
            let _ = write!(out, " {:>11}", years(life));
        }
        out.push_str("  life\n");
        let mut lost: Vec<u128> = members
            .iter()
            .map(|member| u128::from(member.counts[at].fatal) * u128::from(member.power_cuts))
            .collect();
        lost.sort_unstable();
        let _ = write!(out, "{:<30}", "");
        for percent in [1, 10, 50, 90, 99] {
            let windows = lost[rank(percent)] as f64 / 1e6 / self.plan.seconds.max(1) as f64;
            let _ = write!(out, " {:>11.1}", windows * 1e6);
        }
        out.push_str("  lost\n");
    }
}
