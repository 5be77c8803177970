//! The results of checking recordings as text.

use std::fmt;

use super::check_result::{CARRIED, CheckResult, Strictness};

/// Number of differences that are shown for each recording.
const SHOWN: usize = 5;

/// CheckResults, to be printed. The last line reads `N traces, N calls, N differ`: all recordings, the calls compared in
/// those not marked racy, and the differences that fail.
#[derive(Debug)]
pub struct Report<'a>(pub &'a [CheckResult]);

impl Report<'_> {
    /// Number of differences that fail.
    #[must_use]
    pub fn differ(&self) -> usize {
        self.0.iter().filter(|o| o.failed()).map(|o| o.mismatches.len()).sum()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in self.0 {
            if outcome.mismatches.is_empty() {
                continue;
            }
            let verdict = match outcome.strictness {
                Strictness::ReportOnly => "racy, reported only",
                Strictness::Exact | Strictness::ArpSets => "DIFFERS",
            };
            writeln!(
                f,
                "{}: {verdict}, {} of {} calls",
                outcome.label,
                outcome.mismatches.len(),
                outcome.calls
            )?;
            if !outcome.failed() {
                continue;
            }
            for mismatch in outcome.mismatches.iter().take(SHOWN) {
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
            if outcome.mismatches.len() > SHOWN {
                writeln!(f, "  ... and {} more", outcome.mismatches.len() - SHOWN)?;
            }
        }
        for outcome in self.0 {
            for surprise in outcome.mispredicted.iter().take(SHOWN) {
                writeln!(f, "{}: note: recorded answer of {surprise}", outcome.label)?;
            }
        }
        for outcome in self.0.iter().filter(|o| !o.unmodelled.is_empty()) {
            writeln!(
                f,
                "{}: options not modelled: {}",
                outcome.label,
                outcome.unmodelled.join(" ")
            )?;
        }
        writeln!(f, "carried from the recordings into the engine:")?;
        for (field, reason) in CARRIED {
            writeln!(f, "  {field}: {reason}")?;
        }
        let total = |pick: fn(&CheckResult) -> usize| self.0.iter().map(pick).sum::<usize>();
        writeln!(
            f,
            "  here {} init outputs, {} answers",
            total(|o| o.inits),
            total(|o| o.answers)
        )?;
        let (foreseen, surprises) = (total(|o| o.predicted), total(|o| o.mispredicted.len()));
        writeln!(
            f,
            "the server model decides {foreseen} of {} DHCPv4 messages as recorded",
            foreseen + surprises
        )?;
        let racy: Vec<&CheckResult> = self.0.iter().filter(|o| o.racy.is_some()).collect();
        if !racy.is_empty() {
            let sets = racy.iter().filter(|o| o.strictness == Strictness::ArpSets);
            let only = racy.iter().filter(|o| o.strictness == Strictness::ReportOnly);
            writeln!(
                f,
                "marked racy: {} traces, {} calls with arp-* runs as sets, {} calls reported only",
                racy.len(),
                sets.map(|o| o.calls).sum::<usize>(),
                only.map(|o| o.calls).sum::<usize>()
            )?;
        }
        let calls: usize = self.0.iter().filter(|o| o.racy.is_none()).map(|o| o.calls).sum();
        writeln!(f, "{} traces, {calls} calls, {} differ", self.0.len(), self.differ())
    }
}
