//! Formats the results of checking recordings as text.

use std::collections::BTreeMap;
use std::fmt;

use super::check_result::{CheckResult, ENGINE_INPUTS, Strictness};
use dnsmasq_model::{Build, Release};

/// Counts of the recordings of one release and build.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    traces: usize,
    calls: usize,
    differ: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12} {:>5} {:>6}   ", self.traces, self.calls, self.differ)
    }
}

/// Maximum number of differences that are shown for each recording.
const SHOWN: usize = 5;

/// Formats a number with a noun whose plural ends in `s`.
fn quantity(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// Displays the results of checks. The last line reads `N traces, N calls, N differ`: the number of all recordings, the
/// number of calls compared in recordings that are not marked racy, and the number of differences that fail the check.
#[derive(Debug)]
pub struct Report<'a>(pub &'a [CheckResult]);

impl Report<'_> {
    /// Writes a row for each release if there are several releases.
    fn fmt_releases(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: BTreeMap<Release, [Counts; 2]> = BTreeMap::new();
        for result in self.0 {
            let Some(release) = result.release else { continue };
            let counts =
                &mut rows.entry(release).or_default()[usize::from(result.build == Build::NoRtc)];
            counts.traces += 1;
            if result.strictness != Strictness::ReportOnly {
                counts.calls += result.calls;
                counts.differ += result.mismatches.len();
            }
        }
        if rows.len() < 2 {
            return Ok(());
        }
        writeln!(f, "release  RTC: traces calls differ  no-RTC: traces calls differ")?;
        for (release, [rtc, no_rtc]) in rows {
            writeln!(f, "{:<7} {rtc} {no_rtc}", release.to_string())?;
        }
        Ok(())
    }

    /// Returns the number of differences that fail the check.
    #[must_use]
    pub fn failing_differences(&self) -> usize {
        self.0.iter().filter(|result| result.failed()).map(|result| result.mismatches.len()).sum()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in self.0 {
            if result.mismatches.is_empty() {
                continue;
            }
            let verdict = match result.strictness {
                Strictness::ReportOnly => "racy, reported only",
                Strictness::Exact | Strictness::ArpSets => "DIFFERS",
            };
            writeln!(
                f,
                "{}: {verdict}, {} in {}",
                result.label,
                quantity(result.mismatches.len(), "difference"),
                quantity(result.calls, "recorded call")
            )?;
            if !result.failed() {
                continue;
            }
            for mismatch in result.mismatches.iter().take(SHOWN) {
                write!(f, "  ")?;
                if let Some(number) = mismatch.stimulus {
                    write!(f, "stimulus {number} ")?;
                }
                write!(f, "({})", mismatch.action)?;
                if let Some(seq) = mismatch.seq {
                    write!(f, ", call {seq}")?;
                }
                writeln!(f, ":  - recorded  + engine")?;
                for line in &mismatch.lines {
                    writeln!(f, "    {line}")?;
                }
            }
            if result.mismatches.len() > SHOWN {
                writeln!(f, "  ... and {} more", result.mismatches.len() - SHOWN)?;
            }
        }
        for result in self.0 {
            for line in result.mispredicted.iter().take(SHOWN) {
                writeln!(f, "{}: note: recorded answer of {line}", result.label)?;
            }
        }
        for result in self.0.iter().filter(|result| !result.unmodelled.is_empty()) {
            writeln!(f, "{}: options not modelled: {}", result.label, result.unmodelled.join(" "))?;
        }
        writeln!(f, "taken from the recordings, not compared:")?;
        for (field, reason) in ENGINE_INPUTS {
            writeln!(f, "  {field}: {reason}")?;
        }
        let total = |pick: fn(&CheckResult) -> usize| self.0.iter().map(pick).sum::<usize>();
        writeln!(
            f,
            "  in these recordings: {} outputs of init, {} answers",
            total(|result| result.inits),
            total(|result| result.answers)
        )?;
        let (predicted, mispredicted) =
            (total(|result| result.predicted), total(|result| result.mispredicted.len()));
        writeln!(
            f,
            "the server model decides {predicted} of {} DHCPv4 messages as recorded",
            predicted + mispredicted
        )?;
        let racy: Vec<&CheckResult> =
            self.0.iter().filter(|result| result.racy.is_some()).collect();
        if !racy.is_empty() {
            let sets = racy.iter().filter(|result| result.strictness == Strictness::ArpSets);
            let only = racy.iter().filter(|result| result.strictness == Strictness::ReportOnly);
            writeln!(
                f,
                "marked racy: {}, {} with arp-* runs as sets, {} reported only",
                quantity(racy.len(), "trace"),
                quantity(sets.map(|result| result.calls).sum(), "call"),
                quantity(only.map(|result| result.calls).sum(), "call")
            )?;
        }
        self.fmt_releases(f)?;
        let calls: usize =
            self.0.iter().filter(|result| result.racy.is_none()).map(|result| result.calls).sum();
        let differing = self.failing_differences();
        writeln!(
            f,
            "{}, {}, {differing} {}",
            quantity(self.0.len(), "trace"),
            quantity(calls, "call"),
            if differing == 1 { "differs" } else { "differ" }
        )
    }
}
