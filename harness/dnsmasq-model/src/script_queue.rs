//! The calls of a slow script: one runs, and others wait in the pipe to the helper process.

use std::collections::VecDeque;

use super::call_sink::CallSink;
use super::held_call::HeldCall;
use super::pending_call::CallContext;

/// The running call, and those that wait for its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScriptQueue {
    /// The time on the monotonic clock at which the running call ends.
    end: Option<i64>,
    /// Calls that dnsmasq has written into the pipe, each with the data from the time of writing.
    waiting: VecDeque<HeldCall>,
}

impl ScriptQueue {
    /// Returns the time on the monotonic clock at which the running call ends, or `None` if no call is running.
    pub(crate) fn end(&self) -> Option<i64> {
        self.end
    }

    pub(crate) fn is_running(&self) -> bool {
        self.end.is_some()
    }

    /// Returns whether calls wait in the pipe.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Begins a call that takes this many seconds. A call of 0 seconds ends at once.
    pub(crate) fn begin(&mut self, mono: i64, seconds: i64) {
        self.end = (seconds > 0).then(|| mono.saturating_add(seconds));
    }

    pub(crate) fn push(&mut self, call: HeldCall) {
        self.waiting.push_back(call);
    }

    /// Ends the running call and makes the next one in the pipe.
    pub(crate) fn next(
        &mut self,
        mono: i64,
        seconds: i64,
        context: &CallContext,
        sink: &mut impl CallSink,
    ) {
        self.end = None;
        if let Some(call) = self.waiting.pop_front() {
            call.make(context, sink);
            self.begin(mono, seconds);
        }
    }

    /// Makes all waiting calls.
    pub(crate) fn make_all(&mut self, context: &CallContext, sink: &mut impl CallSink) {
        for call in self.waiting.drain(..) {
            call.make(context, sink);
        }
    }

    /// Returns the number of seconds until the last waiting call ends.
    pub(crate) fn remaining_time(&self, mono: i64, seconds: i64) -> i64 {
        let running = self.end.map_or(0, |end| end.saturating_sub(mono).max(0));
        let waiting = i64::try_from(self.waiting.len()).unwrap_or(i64::MAX);
        running.saturating_add(waiting.saturating_mul(seconds))
    }
}
