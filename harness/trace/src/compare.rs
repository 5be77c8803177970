//! Compares the engine's calls with the recorded calls.

use std::collections::BTreeMap;

use super::check_result::{CheckResult, Strictness};
use super::diff::{Compared, EngineCall, compare, missing, surplus};
use super::driver::Driver;
use super::recording::{Call, Stimulus};

impl Driver<'_> {
    /// Compares the calls, after all stimuli have been applied.
    pub(super) fn finish(mut self) -> CheckResult {
        let recording = self.recording;
        if self.strictness == Strictness::ReportOnly {
            self.compare_all();
        } else {
            self.compare_totals();
            let mut next = 0;
            for (at, stimulus) in recording.stimuli.iter().enumerate() {
                let (from, to) = stimulus.calls.unwrap_or((next, next));
                if from != next || to < from || to > recording.calls.len() as u64 {
                    let lines =
                        vec![format!("- calls {from} to {to}"), format!("+ calls from {next} on")];
                    self.add_mismatch(Some(stimulus), None, lines);
                    continue;
                }
                next = to;
                let want = &recording.calls[from as usize..to as usize];
                let got = std::mem::take(&mut self.made[at]);
                self.compare_stimulus(stimulus, want, got);
            }
            if next != recording.calls.len() as u64 {
                let lines = vec![
                    format!("- {} calls", recording.calls.len()),
                    format!("+ {next} claimed by stimuli"),
                ];
                self.add_mismatch(None, None, lines);
            }
        }
        let mut unmodelled = self.unmodelled;
        unmodelled.sort();
        unmodelled.dedup();
        CheckResult {
            label: recording.label(),
            release: recording.meta.version.as_ref().map(|_| recording.meta.release()),
            build: recording.meta.build,
            racy: recording.meta.racy.clone(),
            strictness: self.strictness,
            calls: recording.calls.len(),
            inits: self.inits,
            answers: self.answers,
            predicted: self.predicted,
            mispredicted: self.mispredicted,
            mismatches: self.mismatches,
            unmodelled,
        }
    }

    /// Compares the sequence numbers, and the counts and stored variables in meta.json.
    fn compare_totals(&mut self) {
        let recording = self.recording;
        let meta = &recording.meta;
        for (at, call) in recording.calls.iter().enumerate() {
            if call.seq != at as u64 {
                self.add_mismatch(
                    None,
                    Some(call.seq),
                    vec![format!("- seq {}", call.seq), format!("+ seq {at}")],
                );
            }
        }
        let mut by_action = BTreeMap::new();
        for made in self.made.iter().flatten() {
            *by_action
                .entry(String::from_utf8_lossy(made.call.action()).into_owned())
                .or_insert(0u64) += 1;
        }
        let made: u64 = by_action.values().sum();
        let checks = [
            ("calls", format!("{}", meta.calls), format!("{made}")),
            ("stimuli", format!("{}", meta.stimuli), format!("{}", recording.stimuli.len())),
            ("by_action", format!("{:?}", meta.by_action), format!("{by_action:?}")),
            (
                "store_final",
                show_lines(meta.store_final.iter().map(|b| &b.0[..])),
                show_lines(self.store.lines().iter().map(Vec::as_slice)),
            ),
        ];
        for (what, want, got) in checks {
            if want != got {
                self.add_mismatch(
                    None,
                    None,
                    vec![format!("- meta {what} {want}"), format!("+ meta {what} {got}")],
                );
            }
        }
    }

    fn compare_stimulus(&mut self, stimulus: &Stimulus, want: &[Call], mut got: Vec<EngineCall>) {
        let mut want: Vec<&Call> = want.iter().collect();
        if self.strictness == Strictness::ArpSets {
            let is_arp = |word: Option<&[u8]>| word.is_some_and(|w| w.starts_with(b"arp-"));
            sort_runs(
                &mut want,
                |c| is_arp(c.argv.get(1).map(|a| &a.0[..])),
                |c| c.script_call().argv,
            );
            sort_runs(&mut got, |m| is_arp(Some(m.call.action())), |m| m.call.argv.clone());
        }
        for at in 0..want.len().max(got.len()) {
            let (lines, seq) = match (want.get(at), got.get(at)) {
                (Some(want), Some(got)) => {
                    (compare(want, got, Compared::TimesAndStore), Some(want.seq))
                }
                (Some(want), None) => (missing(want), Some(want.seq)),
                (None, Some(got)) => (surplus(got), None),
                (None, None) => continue,
            };
            if !lines.is_empty() {
                self.add_mismatch(Some(stimulus), seq, lines);
            }
        }
    }

    /// Compares the whole sequence of calls, ignoring times and the stimuli to which calls belong.
    fn compare_all(&mut self) {
        let got: Vec<EngineCall> = std::mem::take(&mut self.made).into_iter().flatten().collect();
        let want = &self.recording.calls;
        for at in 0..want.len().max(got.len()) {
            let (lines, seq) = match (want.get(at), got.get(at)) {
                (Some(want), Some(got)) => (compare(want, got, Compared::CallOnly), Some(want.seq)),
                (Some(want), None) => (missing(want), Some(want.seq)),
                (None, Some(got)) => (surplus(got), None),
                (None, None) => continue,
            };
            if !lines.is_empty() {
                self.add_mismatch(None, seq, lines);
            }
        }
    }
}

fn show_lines<'b>(lines: impl Iterator<Item = &'b [u8]>) -> String {
    let mut lines: Vec<String> = lines.map(|line| line.escape_ascii().to_string()).collect();
    lines.sort();
    lines.join(" | ")
}

/// Sorts each maximal run of consecutive items for which `belongs` holds.
fn sort_runs<T, K: Ord>(items: &mut [T], belongs: impl Fn(&T) -> bool, key: impl Fn(&T) -> K) {
    for run in items.chunk_by_mut(|a, b| belongs(a) && belongs(b)) {
        if run.len() > 1 {
            run.sort_by_key(&key);
        }
    }
}
