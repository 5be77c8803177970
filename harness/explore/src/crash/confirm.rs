//! Confirms states of the in-process exploration with real processes: a real shell, the real script, the emulated
//! `nvram` and a flash file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Verdict;
use super::replay::ScheduleReplayer;
use super::replay_error::ReplayError;
use backend::{ExternalScript, Function};
use runner::{CaseError, GatePolicy, InProcessError, Recording, ScriptChoice, record};
use scenario::{Case, Id};

/// With a budget, about this many states are confirmed first, to measure how long one takes.
const FIRST_SAMPLE: usize = 16;

/// What the confirmation found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// Number of states in the list.
    pub states: usize,
    /// Number of states that were confirmed.
    pub confirmed: usize,
    /// The sampling interval: every n-th state was confirmed.
    pub every: usize,
    /// States that differ, and how.
    pub differences: Vec<(Id, String)>,
}

/// Reaches the states of `listed` with processes: all of them, or an even sample that fits into the budget.
///
/// # Errors
/// A scenario or a script that cannot be run in process, or at all.
pub fn confirm(
    case: &Case,
    script: Option<Function>,
    choice: &ScriptChoice,
    gate: &GatePolicy,
    processes: &Arc<ExternalScript>,
    listed: &[(Id, Verdict)],
    budget: Option<Duration>,
) -> Result<Confirmed, InProcessError> {
    let recording = record(case, script, choice)?;
    let began = Instant::now();
    let last = listed.len().max(1);
    let mut result = Confirmed { states: listed.len(), ..Confirmed::default() };
    // Each round confirms the states half-way between those of the earlier rounds.
    let mut every = match budget {
        None => 1,
        Some(_) => (last / FIRST_SAMPLE).max(1).next_power_of_two(),
    };
    let mut done_every = 0;
    loop {
        let round: Vec<usize> = (0..listed.len())
            .step_by(every)
            .filter(|index| done_every == 0 || index % done_every != 0)
            .collect();
        let differences: Vec<Result<Option<String>, CaseError>> = round
            .par_iter()
            .map(|index| confirm_state(case, &recording, gate, processes, &listed[*index]))
            .collect();
        for (index, difference) in round.iter().zip(differences) {
            result.confirmed += 1;
            if let Some(text) = difference? {
                result.differences.push((listed[*index].0.clone(), text));
            }
        }
        (done_every, result.every) = (every, every);
        let spent = began.elapsed();
        // The next round takes as long as all earlier ones together.
        if every == 1 || budget.is_some_and(|budget| spent * 2 > budget) {
            return Ok(result);
        }
        every /= 2;
    }
}

/// Confirms one state. Returns how it differs, if it does.
fn confirm_state(
    case: &Case,
    recording: &Recording,
    gate: &GatePolicy,
    processes: &Arc<ExternalScript>,
    (id, verdict): &(Id, Verdict),
) -> Result<Option<String>, CaseError> {
    let mut replayer = ScheduleReplayer::new(case, recording, (id, gate), Some(processes));
    let result = replayer.run();
    if let Some(fault) = processes.take_error() {
        return Err(fault.into());
    }
    Ok(match result {
        Err(ReplayError::InProcess(InProcessError::Case(error))) => return Err(error),
        Err(error) => Some(error.to_string()),
        Ok((now, _)) if now != *verdict => {
            Some(format!("{verdict} in process, {now} with processes"))
        }
        Ok(_) => replayer.differences.first().cloned(),
    })
}
