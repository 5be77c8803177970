//! What the clocks of the router show.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::file_times::earliest_file_time;

/// The clocks at the beginning of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    /// Seconds since 1970, as the router believes.
    pub wall: i64,
    /// Seconds since the router's power-on.
    pub mono: i64,
}

/// A clock that a program can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockKind {
    Wall,
    Monotonic,
}

#[derive(Debug)]
struct State {
    /// `None`: programs see the machine's clock.
    time: Option<Time>,
    /// How often a clock was read since the beginning of the call.
    readings: u32,
    /// When a program first slept.
    slept: Option<Instant>,
    /// The beginning of the call on the clock from which files get their times.
    began: (i64, i64),
}

/// The router's clocks, shared by the threads of the agent.
#[derive(Debug)]
pub struct RouterClock(Mutex<State>);

impl Default for RouterClock {
    fn default() -> Self {
        Self(Mutex::new(State { time: None, readings: 0, slept: None, began: (0, 0) }))
    }
}

impl RouterClock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the clocks for the next call.
    pub fn set(&self, time: Option<Time>) {
        *self.state() = State { time, readings: 0, slept: None, began: earliest_file_time() };
    }

    /// The wall clock at the beginning of the call, and that moment on the clock from which files get their times. `None`:
    /// programs see the machine's clock.
    pub(super) fn began(&self) -> Option<(i64, (i64, i64))> {
        let state = self.state();
        state.time.map(|time| (time.wall, state.began))
    }

    /// Lets the clock advance from now on, because a program sleeps.
    pub(super) fn run_from_now(&self) {
        self.state().slept.get_or_insert_with(Instant::now);
    }

    /// Reads a clock: seconds and nanoseconds. `None`: the machine's clock is to be read.
    pub(super) fn read(&self, kind: ClockKind) -> Option<(i64, i64)> {
        let mut state = self.state();
        let time = state.time?;
        state.readings = (state.readings + 1).min(999_999);
        let base = match kind {
            ClockKind::Wall => time.wall,
            ClockKind::Monotonic => time.mono,
        };
        let passed = state.slept.map_or(Duration::ZERO, |since| since.elapsed())
            + Duration::from_micros(state.readings.into());
        Some((base + passed.as_secs() as i64, passed.subsec_nanos().into()))
    }

    /// Writes the seconds since power-on as `/proc/uptime` has them.
    pub fn write_uptime(&self, file: &Path) {
        if let Some(time) = self.state().time {
            // A missing value is no reason to fail the call.
            _ = fs::write(file, format!("{}.00 {}.00\n", time.mono, time.mono));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_still_except_that_no_two_readings_are_equal() {
        let clock = RouterClock::default();
        assert_eq!(clock.read(ClockKind::Wall), None);
        clock.set(Some(Time { wall: 1_000, mono: 30 }));
        assert_eq!(clock.read(ClockKind::Wall), Some((1_000, 1_000)));
        assert_eq!(clock.read(ClockKind::Monotonic), Some((30, 2_000)));
    }
}
