//! One interleaving again, step by step.

use super::Race;
use super::catalogue::catalogue;
use super::judge::Effect;
use super::schedule::{Schedule, ScheduleError};

/// What a schedule came to.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// One line for each step.
    pub log: Vec<String>,
    /// What went wrong.
    pub effects: Vec<Effect>,
    /// How many older variables are lost.
    pub older: usize,
}

/// Runs a schedule.
///
/// # Errors
/// It names no race, or does not fit its steps.
pub fn replay(schedule: &Schedule) -> Result<Replayed, ScheduleError> {
    let unknown = || ScheduleError::Race(schedule.race.clone());
    let race =
        catalogue().into_iter().find(|race| race.name == schedule.race).ok_or_else(unknown)?;
    let tool = Race::tool().ok_or_else(unknown)?;
    let (mut stepper, mut state, judge) = race.start(tool, schedule.lock);
    let mut log = Vec::new();
    for (number, who) in schedule.steps.iter().enumerate() {
        let (next, told) =
            stepper.step(&state, who.index()).ok_or(ScheduleError::Step(number + 1))?;
        let column = if who.index() == 0 { "" } else { "    " };
        log.push(format!("{:>4}  {who} {column}{told}", number + 1));
        state = next;
    }
    if (0..2).any(|who| stepper.step(&state, who).is_some()) {
        return Err(ScheduleError::Short);
    }
    let outcome = judge.judge(&stepper, tool, &state);
    Ok(Replayed { log, effects: outcome.effects, older: outcome.older })
}
