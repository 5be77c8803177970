//! The report of a fleet as a table: percentiles of lifetimes and of lost configurations.

use std::fmt::Write as _;

use super::durations::YEAR;
use super::fleet::{Fleet, FleetEntry, FleetPlan};
use super::yearly_wear::format_years;
use scenario::Seconds;

const PERCENTILES: [usize; 5] = [1, 10, 50, 90, 99];

impl Fleet {
    /// Returns the report as text.
    pub fn table(&self) -> String {
        let mut out = heading(&self.plan, self.entries.len());
        let _ = writeln!(
            out,
            "{:<6} {:<16} {:>6} {:>11} {:>11} {:>11} {:>11} {:>11}",
            "rtc", "script", "number", "1 %", "10 %", "50 %", "90 %", "99 %"
        );
        for build in &self.plan.rtc {
            let entries: Vec<&FleetEntry> =
                self.entries.iter().filter(|entry| entry.rtc == *build).collect();
            if entries.is_empty() {
                continue;
            }
            for (at, script) in self.plan.scripts.iter().enumerate() {
                let _ = write!(out, "{build:<6} {script:<16} {:>6}", entries.len());
                lifetimes(&mut out, &self.plan, &entries, at);
                let _ = write!(out, "{:<30}", "");
                losses(&mut out, &self.plan, &entries, at);
            }
        }
        out.push_str(
            "\nlife: this percentage of the households wears a block out within this time. lost: configurations lost to \
             power cuts\nper million router-years; this percentage of the households loses no more.\n",
        );
        out
    }
}

fn heading(plan: &FleetPlan, counted: usize) -> String {
    let FleetPlan { households, seed, typical, rtc, dialect, chip, seconds, endurance, .. } = plan;
    format!(
        "fleet      {counted} of {households} households, seed {seed}, {} each; {dialect} on {chip}, {endurance} erases a \
         block\n\
         varied     0.5 to 1.5 times (stays too): {} clients, {} phones, {} guests and {} SIGHUPs a month, {} reboots\n           \
         a month, {} power cuts a year; leases of {} (for one in four half of it, for one in four twice); rtc {}\n\n",
        Seconds(*seconds),
        typical.clients,
        typical.phones,
        typical.guests,
        typical.sighups,
        typical.reboots,
        typical.power_cuts,
        Seconds(u64::from(typical.lease_time)),
        rtc.join(" or "),
    )
}

/// Returns the index of a percentile in `count` sorted values.
fn rank(percent: usize, count: usize) -> usize {
    (count * percent).div_ceil(100).max(1) - 1
}

/// Writes the percentiles of the lifetimes with the script at index `script`.
fn lifetimes(out: &mut String, plan: &FleetPlan, entries: &[&FleetEntry], script: usize) {
    let yearly = |count: u64| count as f64 * YEAR as f64 / plan.seconds.max(1) as f64;
    let mut erases: Vec<u64> = entries.iter().map(|entry| entry.counts[script].erases).collect();
    erases.sort_unstable_by(|a, b| b.cmp(a));
    for percent in PERCENTILES {
        let erases = erases[rank(percent, erases.len())];
        let life = (erases > 0).then(|| f64::from(plan.endurance) / yearly(erases));
        let _ = write!(out, " {:>11}", format_years(life));
    }
    out.push_str("  life\n");
}

/// Writes the percentiles of the configurations lost per million router-years.
fn losses(out: &mut String, plan: &FleetPlan, entries: &[&FleetEntry], script: usize) {
    let mut lost: Vec<u128> = entries
        .iter()
        .map(|entry| u128::from(entry.counts[script].fatal) * u128::from(entry.power_cuts))
        .collect();
    lost.sort_unstable();
    for percent in PERCENTILES {
        let windows = lost[rank(percent, lost.len())] as f64 / 1e6 / plan.seconds.max(1) as f64;
        let _ = write!(out, " {:>11.1}", windows * 1e6);
    }
    out.push_str("  lost\n");
}
