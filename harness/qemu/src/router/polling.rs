//! Asks the guest for events, and for the state of dnsmasq.

use super::lifecycle::{DaemonState, Router};
use crate::error::QemuError;
use crate::events::{self, Event};
use crate::timeouts::Deadline;

/// What a poll waits for (`harness/qemu/guest/poll-state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitFor {
    Event,
    /// An event, or until dnsmasq and its script are idle.
    EventOrIdle,
    Nothing,
}

impl WaitFor {
    fn argument(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::EventOrIdle => "idle",
            Self::Nothing => "now",
        }
    }
}

impl Router<'_> {
    /// The next event of a call that has begun.
    ///
    /// # Errors
    /// When there is none in time.
    pub(super) fn next_event(&mut self) -> Result<Event, QemuError> {
        let deadline = Deadline::after(self.config.timeouts.command());
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            if deadline.has_passed() {
                return Err(QemuError::Guest(format!(
                    "a call of the script did not end {}",
                    deadline.describe()
                )));
            }
            self.poll_state(WaitFor::Event)?;
        }
    }

    /// The next event; `None` when dnsmasq and its script are idle and there is none.
    ///
    /// # Errors
    /// When there is neither in time.
    pub(super) fn next_event_or_idle(&mut self) -> Result<Option<Event>, QemuError> {
        let deadline = Deadline::after(self.config.timeouts.command());
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if std::mem::take(&mut self.state.is_idle) {
                return Ok(None);
            }
            if deadline.has_passed() {
                return Err(QemuError::Guest(format!(
                    "dnsmasq and its script did not become idle {}",
                    deadline.describe()
                )));
            }
            self.poll_state(WaitFor::EventOrIdle)?;
        }
    }

    /// Receives the events since the last poll, and the state of dnsmasq.
    pub(super) fn poll_state(&mut self, wait_for: WaitFor) -> Result<(), QemuError> {
        self.poll_state_after("", wait_for)
    }

    /// Runs a script, then polls as [`Self::poll_state`] does.
    pub(super) fn poll_state_after(
        &mut self,
        script: &str,
        wait_for: WaitFor,
    ) -> Result<(), QemuError> {
        let arguments = format!("{} {}", self.events_read, wait_for.argument());
        let script = format!("{script}set -- {arguments}; . /lab/poll-state");
        let output = self.running_guest()?.run_checked(&script)?;
        let (mut state, log) = parse_state(&output).ok_or_else(|| {
            let text = String::from_utf8_lossy(&output);
            let line = text.lines().next().unwrap_or_default();
            QemuError::Guest(format!("the guest answered {line:?} to a request for its state"))
        })?;
        if wait_for == WaitFor::Event {
            // This kind of poll does not examine dnsmasq's processes.
            state.slices = std::mem::take(&mut self.state.slices);
        }
        let (events, length) =
            events::parse_events(log).map_err(|error| QemuError::Guest(error.to_string()))?;
        self.events_read += length;
        // Events may have been recorded after the state was determined.
        state.is_idle &= events.is_empty();
        self.state = state;
        self.events.extend(events);
        Ok(())
    }
}

/// Splits the output of `poll-state` into the state and the events; `None` if it is something else.
fn parse_state(output: &[u8]) -> Option<(DaemonState, &[u8])> {
    let end = output.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&output[..end]).ok()?;
    let mut words = line.split_whitespace();
    let is_idle = match words.next()? {
        "idle" => true,
        "busy" => false,
        _ => return None,
    };
    let (received, sent) = (words.next()?, words.next()?);
    let datagrams = match (received, sent) {
        ("-", "-") => None,
        _ => Some((received.parse().ok()?, sent.parse().ok()?)),
    };
    let state = DaemonState { is_idle, datagrams, slices: words.map(str::to_owned).collect() };
    Some((state, &output[end + 1..]))
}
