//! The observers of a run other than the judge.

use super::call_log::call_lines;
use super::evidence::CallRecord;
use super::file_log::file_lines;
use super::history::History;
use super::lenient_log::{LenientLog, StepOutcome};
use super::recorder::{RecordedAction, Recorder, TimedCall};
use super::tally::Tally;
use backend::RouterFiles;
use dnsmasq_model::ScriptCall;

/// Observers of a run. They do not influence it, except that a lenient log makes it skip steps that cannot be carried
/// out.
#[derive(Debug, Default)]
pub struct Observers<'a> {
    /// Keeps snapshots, calls and client actions.
    pub recorder: Option<&'a mut Recorder>,
    /// Records which steps had an effect. If it is set, steps that cannot be carried out are skipped.
    pub lenient_log: Option<&'a mut LenientLog>,
    /// Gets a line for each script call.
    pub(super) log: Option<&'a mut Vec<String>>,
    /// The files of the router before the current call; empty unless there is a log.
    pub(super) files: RouterFiles,
    /// The events of the case.
    pub(super) history: History,
    /// Counts of the current step.
    pub(super) step: Tally,
    /// Counts of the steps before it.
    pub(super) earlier: Tally,
}

impl Observers<'_> {
    pub(super) fn begin_step(&mut self) {
        self.earlier.add(&self.step);
        self.step = Tally::default();
        if let Some(log) = &mut self.lenient_log {
            log.steps.push(StepOutcome::default());
        }
    }

    /// Counts of the whole case so far.
    pub(super) fn total(&self) -> Tally {
        let mut total = self.earlier.clone();
        total.add(&self.step);
        total
    }

    /// Counts and logs a completed script call.
    pub(super) fn call(&mut self, record: &CallRecord) {
        self.step.call(&record.call, &record.result);
        if let Some(log) = &mut self.log {
            log.extend(call_lines(record));
        }
    }

    /// Logs how a call has changed the files of the router.
    pub(super) fn files_after_call(&mut self, files: &RouterFiles) {
        if let Some(log) = &mut self.log {
            let lines = file_lines(&self.files, files);
            log.extend(lines.iter().map(|line| format!("            file    {line}")));
        }
    }

    /// Records a script call, or a boot, if the recorder keeps calls instead of snapshots. Returns whether it does.
    pub(super) fn record_call(&mut self, truth: i64, call: Option<&ScriptCall>) -> bool {
        let Some(calls) = self.recorder.as_mut().and_then(|r| r.calls.as_mut()) else {
            return false;
        };
        calls.push(TimedCall { truth, call: call.cloned() });
        true
    }

    pub(super) fn record_action(&mut self, action: impl FnOnce() -> RecordedAction) {
        if let Some(recorder) = &mut self.recorder {
            recorder.events.push(action());
        }
    }

    /// Whether steps that cannot be carried out are skipped.
    pub(super) fn is_lenient(&self) -> bool {
        self.lenient_log.is_some()
    }

    /// Changes the lenient log's entry of the current step.
    pub(super) fn update_outcome(&mut self, change: impl FnOnce(&mut StepOutcome)) {
        if let Some(log) = &mut self.lenient_log {
            change(log.current());
        }
    }

    /// Skips the current step if the run is lenient. Returns whether it is.
    pub(super) fn skip(&mut self) -> bool {
        self.update_outcome(|step| step.skipped = true);
        self.is_lenient()
    }
}
