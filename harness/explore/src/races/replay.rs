//! Replays one schedule, step by step.

use super::{Anomaly, Race, Schedule, ScheduleError, catalogue};

/// The result of a replay.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// One line for each step.
    pub log: Vec<String>,
    /// What went wrong.
    pub anomalies: Vec<Anomaly>,
    /// How many older variables are lost or changed.
    pub lost_settings: usize,
}

/// Runs a schedule.
///
/// # Errors
/// The schedule names no race, or does not fit the steps of its processes.
pub fn replay(schedule: &Schedule) -> Result<Replayed, ScheduleError> {
    let unknown = || ScheduleError::Race(schedule.race.clone());
    let race =
        catalogue().into_iter().find(|race| race.name == schedule.race).ok_or_else(unknown)?;
    let tool = Race::tool().ok_or_else(unknown)?;
    let (mut stepper, mut state, judge) = race.start(tool, schedule.lock);
    let mut log = Vec::new();
    for (number, process) in schedule.steps.iter().enumerate() {
        let (next, text) =
            stepper.step(&state, process.index()).ok_or(ScheduleError::Step(number + 1))?;
        let column = if process.index() == 0 { "" } else { "    " };
        log.push(format!("{:>4}  {process} {column}{text}", number + 1));
        state = next;
    }
    if (0..2).any(|index| stepper.step(&state, index).is_some()) {
        return Err(ScheduleError::Short);
    }
    let outcome = judge.judge(&stepper, tool, &state);
    Ok(Replayed { log, anomalies: outcome.anomalies, lost_settings: outcome.lost_settings })
}
