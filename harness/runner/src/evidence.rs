//! What a report shows about a finding in addition to its text.

use std::sync::Arc;

use backend::{CallResult, Disturbance};
use dnsmasq_model::ScriptCall;

/// A script call as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Arguments and environment.
    pub call: ScriptCall,
    /// How it ended, what it printed, and the `nvram` commands that it ran.
    pub result: CallResult,
    /// The fault that was injected into it.
    pub disturbance: Option<Disturbance>,
}

/// What a report shows about a finding in addition to its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The step as its file describes it, without its expectations.
    pub step: String,
    /// The call that the finding is about, if it is about one: the last one of the step, or the last one that asked to
    /// change the lease in question.
    pub call: Option<Arc<CallRecord>>,
    /// Lease lines that must be stored, and are not.
    pub expected: Vec<Vec<u8>>,
    /// Lease lines that are stored, and must not be.
    pub found: Vec<Vec<u8>>,
}
