//! Receivers of script calls.

use super::call::{Action, ScriptCall};
use super::pending_call::PendingCall;

/// A receiver of script calls.
pub trait CallSink {
    /// Receives a call that dnsmasq makes.
    fn call(&mut self, call: &PendingCall<'_>);

    /// Returns whether this sink renders calls. If it does not, the engine need not keep the data of
    /// `lease_add_extradata`.
    fn wants_rendering(&self) -> bool {
        true
    }
}

impl CallSink for Vec<ScriptCall> {
    fn call(&mut self, call: &PendingCall<'_>) {
        self.push(call.render());
    }
}

/// Counts calls by action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Number of calls for each [`Action`], in the order of its variants.
    pub by_action: [u64; 7],
}

impl CallCounts {
    /// Returns the total number of calls.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_action.iter().sum()
    }

    /// Returns the number of calls with this action.
    #[must_use]
    pub fn of(&self, action: Action) -> u64 {
        self.by_action[action as usize]
    }
}

impl CallSink for CallCounts {
    fn wants_rendering(&self) -> bool {
        false
    }

    fn call(&mut self, call: &PendingCall<'_>) {
        self.by_action[call.action as usize] += 1;
    }
}
