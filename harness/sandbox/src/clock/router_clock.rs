//! The state of the router's clocks.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::file_times::earliest_file_time;
use crate::plain_file::write_plain;

/// The clocks at the beginning of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    /// Seconds since 1970, according to the router.
    pub wall: i64,
    /// Seconds since the router's power-on.
    pub mono: i64,
}

/// A clock that a program can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockKind {
    Wall,
    Monotonic,
}

#[derive(Debug, Default)]
struct State {
    /// If this is `None`, programs see the machine's clock.
    time: Option<Time>,
    /// Number of clock readings since the beginning of the call.
    readings: u32,
    /// The time since the beginning of the call that had passed when the clock was last set or stopped.
    passed: Duration,
    /// When a program first slept. If this is `None`, the clock stands still.
    slept: Option<Instant>,
    /// The beginning of the call, on the clock from which the kernel takes the times of files.
    began: (i64, i64),
}

impl State {
    /// Returns the time since the beginning of the call.
    fn passed(&self) -> Duration {
        self.passed + self.slept.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn monotonic(&self) -> Option<Duration> {
        let base = u64::try_from(self.time?.mono).ok()?;
        Some(Duration::from_secs(base) + self.passed())
    }
}

/// The router's clocks, shared by the threads of the agent.
#[derive(Debug, Default)]
pub struct RouterClock(Mutex<State>);

impl RouterClock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the clocks for the next call.
    pub fn set(&self, time: Option<Time>) {
        *self.state() = State { time, began: earliest_file_time(), ..State::default() };
    }

    /// Returns the wall clock at the beginning of the call, and that moment on the clock from which the kernel takes the
    /// times of files. Returns `None` if programs see the machine's clock.
    pub(super) fn began(&self) -> Option<(i64, (i64, i64))> {
        let state = self.state();
        state.time.map(|time| (time.wall, state.began))
    }

    /// Lets the clock advance from now on, because a program sleeps. Returns the time since the router's power-on, or `None`
    /// if programs see the machine's clock.
    pub(super) fn run_from_now(&self) -> Option<Duration> {
        let mut state = self.state();
        state.slept.get_or_insert_with(Instant::now);
        state.monotonic()
    }

    /// Returns the time since the router's power-on if the clock advances.
    pub(super) fn running(&self) -> Option<Duration> {
        let state = self.state();
        state.slept.and_then(|_| state.monotonic())
    }

    /// Stops the clock at its current value.
    pub fn stop(&self) {
        let mut state = self.state();
        state.passed = state.passed();
        state.slept = None;
    }

    /// Sets the clocks to `moment` after the router's power-on. The wall clock is computed from `time`, a later reading of
    /// both clocks.
    pub(super) fn set_before(&self, time: Time, moment: Duration) {
        let mono = moment.as_secs() as i64;
        let time = Time { wall: time.wall - (time.mono - mono), mono };
        let passed = Duration::from_nanos(moment.subsec_nanos().into());
        *self.state() =
            State { time: Some(time), passed, began: earliest_file_time(), ..State::default() };
    }

    /// Reads a clock in seconds and nanoseconds. Returns `None` if programs see the machine's clock.
    pub(super) fn read(&self, kind: ClockKind) -> Option<(i64, i64)> {
        let mut state = self.state();
        let time = state.time?;
        state.readings = (state.readings + 1).min(999_999);
        let base = match kind {
            ClockKind::Wall => time.wall,
            ClockKind::Monotonic => time.mono,
        };
        let passed = state.passed() + Duration::from_micros(state.readings.into());
        Some((base + passed.as_secs() as i64, passed.subsec_nanos().into()))
    }

    /// Writes the seconds since power-on to a file in the format of `/proc/uptime`.
    pub fn write_uptime(&self, file: &Path) {
        // The lock must not be held during the write: the supervisor, which also answers the system calls of this thread,
        // needs it.
        let time = self.state().time;
        if let Some(time) = time {
            // A call does not fail because this value could not be written.
            _ = write_plain(file, format!("{}.00 {}.00\n", time.mono, time.mono).as_bytes());
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
