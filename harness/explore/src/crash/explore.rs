//! The exploration of one case, divided into tasks that run in parallel.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use super::Options;
use super::call_position::{CallPosition, RunPhase};
use super::explorer::Explorer;
use super::report::{Report, has_hung};
use super::search_task::{SearchTask, merge};
use backend::Function;
use runner::{GatePolicy, InProcessError, ScriptChoice, Severity, record};
use scenario::Case;

/// Into how many tasks an exploration is divided; fewer if there are fewer calls. Tasks share no caches, so that they
/// need no locks and the counts do not depend on the number of threads.
const TASKS: usize = 8;

/// Explores a case in process, with `script` instead of the scenario's own script if given, as `choice` says. `gate` says
/// which violations count as broken.
///
/// A script that hangs without a fault is not explored: a check of a state would take as long as a call may take.
///
/// # Errors
/// A scenario that cannot be run in process, or at all.
pub fn explore(
    case: &Case,
    script: Option<Function>,
    choice: &ScriptChoice,
    gate: &GatePolicy,
    options: Options,
) -> Result<Report, InProcessError> {
    let began = processor_time();
    let processes = match &script {
        Some(Function::Process(processes)) => Some(Arc::clone(processes)),
        _ => None,
    };
    let recording = record(case, script, choice)?;
    let recorded = processor_time().saturating_sub(began);
    let explorer = Explorer::new(case, &recording, options, gate);
    let hangs = processes.is_some() && has_hung(&recording.findings);
    let calls = if hangs { 0 } else { recording.recorder.snapshots.len() };
    let length = calls.div_ceil(TASKS).max(1);
    let tasks: Vec<SearchTask> = (0..calls.div_ceil(length))
        .into_par_iter()
        .map(|task| explorer.explore_calls(task * length..((task + 1) * length).min(calls)))
        .collect();
    if let Some(fault) = processes.and_then(|processes| processes.take_error()) {
        return Err(fault.into());
    }
    let mut report = merge(case, tasks, options);
    report.undisturbed.clone_from(&recording.findings);
    report.took += recorded;
    let (first, last) = recording.recorder.truth;
    report.window.simulated = Duration::from_secs(u64::try_from(last - first).unwrap_or(0));
    Ok(report)
}

impl Explorer<'_> {
    /// Explores some calls of the undisturbed run.
    fn explore_calls(&self, calls: Range<usize>) -> SearchTask {
        let began = processor_time();
        let snapshots = &self.recording.recorder.snapshots;
        let mut task = SearchTask::default();
        for index in calls {
            let position = CallPosition {
                faults: &[],
                ordinal: index as u32 + 1,
                phase: RunPhase::Undisturbed,
                depth: self.options.depth,
                highest: Severity::Bug,
            };
            let next = snapshots.get(index + 1).map(|snapshot| &snapshot.call);
            self.explore_call(&mut snapshots[index].clone(), position, next, &mut task);
        }
        task.took = processor_time().saturating_sub(began);
        task
    }
}

/// Processor time of the current thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
