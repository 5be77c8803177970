//! States of the in-process exploration, reached again by real processes: a real shell, the real script, the fake
//! `nvram` and a flash file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::Verdict;
use super::replay::ScheduleReplayer;
use backend::{ExternalScript, Function};
use runner::{Fault, Recording, record};
use scenario::Case;
use scenario::Id;

/// So many states are confirmed first, to learn how long one takes.
const FIRST_SAMPLE: usize = 16;

/// What processes made of the states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// States that there are.
    pub states: usize,
    /// States that were reached again.
    pub confirmed: usize,
    /// Every so-many-th was.
    pub every: usize,
    /// Those that are not the same, and how they differ.
    pub differences: Vec<(Id, String)>,
}

/// Reaches the states of `listed` by processes: all of them, or as evenly as fits into the budget.
///
/// # Errors
/// A scenario or a script that cannot be run.
pub fn confirm(
    case: &Case,
    script: Option<Function>,
    processes: &Arc<ExternalScript>,
    listed: &[(Id, Verdict)],
    budget: Option<Duration>,
) -> Result<Result<Confirmed, String>, Fault> {
    let recording = match record(case, script)? {
        Ok(recording) => recording,
        Err(why) => return Ok(Err(why)),
    };
    let began = Instant::now();
    let last = listed.len().max(1);
    let mut result = Confirmed { states: listed.len(), ..Confirmed::default() };
    // Each round confirms what lies half-way between the states of the rounds before.
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
        let looked: Vec<Result<Option<String>, Fault>> = round
            .par_iter()
            .map(|index| one(case, &recording, processes, &listed[*index]))
            .collect();
        for (index, difference) in round.iter().zip(looked) {
            result.confirmed += 1;
            if let Some(text) = difference? {
                result.differences.push((listed[*index].0.clone(), text));
            }
        }
        (done_every, result.every) = (every, every);
        let spent = began.elapsed();
        // The next round is as long as all before it.
        if every == 1 || budget.is_some_and(|budget| spent * 2 > budget) {
            return Ok(Ok(result));
        }
        every /= 2;
    }
}

/// Confirms one state; how it differs.
fn one(
    case: &Case,
    recording: &Recording,
    processes: &Arc<ExternalScript>,
    (id, verdict): &(Id, Verdict),
) -> Result<Option<String>, Fault> {
    let mut story = ScheduleReplayer::new(case, recording, id, Some(processes));
    let told = story.tell()?;
    if let Some(fault) = processes.take_error() {
        return Err(fault.into());
    }
    Ok(match told {
        Err(error) => Some(error.to_string()),
        Ok((again, _)) if again != *verdict => Some(format!("{verdict} at first, {again} now")),
        Ok(_) => story.differences.first().cloned(),
    })
}
