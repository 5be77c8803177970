//! Records an undisturbed run: a snapshot before each script call, and what clients did.

use std::net::IpAddr;
use std::sync::Arc;

use super::action::ClientAction;
use super::clients::Client;
use super::clocks::Clocks;
use super::expected::{Expected, Tolerance};
use super::nvram_state::NvramState;
use backend::InProcess;
use dnsmasq_model::{ScriptCall, Server};

/// The snapshots and client actions of a run, in their order.
#[derive(Debug, Default)]
pub struct Recorder {
    /// One before each script call.
    pub snapshots: Vec<Snapshot>,
    /// What clients did.
    pub events: Vec<RecordedAction>,
    /// True time at the beginning and at the end, in seconds since 1970.
    pub truth: (i64, i64),
    /// Script calls and boots. If this is set, no snapshots are kept.
    pub calls: Option<Vec<TimedCall>>,
}

/// A script call or a boot.
#[derive(Clone, Debug)]
pub struct TimedCall {
    /// True time, in seconds since 1970.
    pub truth: i64,
    /// The call; `None` for a boot.
    pub call: Option<ScriptCall>,
}

/// Router, dnsmasq and expected contents before a script call.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The router.
    pub target: InProcess,
    /// What must be stored.
    pub expected: Arc<Expected>,
    /// What NVRAM holds.
    pub nvram: NvramState,
    /// How a stored time may differ.
    pub tolerance: Tolerance,
    /// dnsmasq as if it had been killed: every fault ends in a restart or in one more call.
    pub server: Arc<Server>,
    /// The clocks.
    pub clocks: Clocks,
    /// The call.
    pub call: Arc<ScriptCall>,
    /// How many client actions had begun.
    pub event: usize,
    /// Number of the step, from 1.
    pub step: usize,
}

/// An action of a client.
#[derive(Clone, Debug)]
pub struct RecordedAction {
    /// The client before it.
    pub client: Client,
    /// The messages that it sent.
    pub action: ClientAction,
    /// The address, if the scenario names one.
    pub address: Option<IpAddr>,
    /// The clocks at the time of the action.
    pub clocks: Clocks,
}
