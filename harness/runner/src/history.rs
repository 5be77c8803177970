//! What happened in a case, for the reports of its failures.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use nvram_emu::device::Op;

use super::action::ClientAction;
use super::evidence::CallRecord;
use scenario::ReplyKind;

/// Number of events that are kept before the first failure.
const MAX_BEFORE: usize = 400;
/// Number of events that are kept after it.
const MAX_AFTER: usize = 200;

/// The events of a case. Of a long case only those around the first failure are kept.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The events, in their order.
    pub events: VecDeque<Event>,
    /// Number of events that were not kept.
    pub omitted: usize,
    after_failure: usize,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// True time since the beginning of the case, in seconds.
    pub seconds: i64,
    /// What happened.
    pub kind: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// A step of the scenario begins.
    Step {
        /// Its number, from 1.
        number: usize,
        /// The step as its file describes it.
        text: String,
    },
    /// The router is switched on.
    PowerOn,
    /// The router loses its power outside of a script call.
    PowerOff,
    /// dnsmasq starts, ends or gets a signal.
    Dnsmasq(DaemonEvent),
    /// The wall clock jumps, or its rate changes.
    Clock {
        /// By how many seconds it jumps; 0 if only its rate changes.
        jump: i64,
    },
    /// A client sends a message.
    Client {
        /// The client.
        name: String,
        /// The message.
        action: ClientAction,
        /// The server's reply.
        reply: ReplyKind,
        /// The address of the client after the reply.
        address: Option<IpAddr>,
    },
    /// dnsmasq, or another program, calls the script.
    Call(Arc<CallRecord>),
    /// Another program runs an `nvram` command.
    OtherProgram {
        /// The arguments of the command.
        arguments: Vec<Vec<u8>>,
        /// Its exit code.
        code: Option<i32>,
        /// Its flash operations.
        operations: Vec<Op>,
    },
    /// Bytes of the flash or of RAM are overwritten.
    Damage,
}

/// What happens to dnsmasq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaemonEvent {
    /// It starts.
    Start,
    /// It exits at its start, with this status.
    Exit(i32),
    /// It is terminated.
    Terminated,
    /// It is killed.
    Killed,
    /// It gets SIGHUP.
    Sighup,
}

impl History {
    /// Adds an event. `failed` says whether the case has a failure already.
    pub(super) fn add(&mut self, seconds: i64, failed: bool, kind: EventKind) {
        if failed {
            self.after_failure += 1;
            if self.after_failure > MAX_AFTER {
                self.omitted += 1;
                return;
            }
        } else if self.events.len() >= MAX_BEFORE {
            self.events.pop_front();
            self.omitted += 1;
        }
        self.events.push_back(Event { seconds, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_case_the_events_around_the_first_failure_are_kept() {
        let mut history = History::default();
        for second in 0..1000 {
            history.add(second, second >= 600, EventKind::PowerOn);
        }
        let seconds: Vec<i64> = history.events.iter().map(|event| event.seconds).collect();
        assert_eq!(seconds, (200..800).collect::<Vec<i64>>());
        assert_eq!(history.omitted, 400);
    }
}
