//! What an explorer needs of an undisturbed run: the world before each script call, and what clients did.

use std::net::IpAddr;
use std::sync::Arc;

use super::ClientAction;
use super::clients::Client;
use super::clocks::Clocks;
use super::neighbours::NvramState;
use super::store::{Expected, Tolerance};
use backend::InProcess;
use dnsmasq_model::{ScriptCall, Server};

/// The moments and events of a run, in their order.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Before each script call.
    pub moments: Vec<Snapshot>,
    /// What clients did.
    pub events: Vec<Event>,
    /// True time at the beginning and at the end, seconds since 1970.
    pub truth: (i64, i64),
    /// Kept in place of the moments, where only the calls are wanted.
    pub calls: Option<Vec<TimedCall>>,
}

/// A script call, or power that comes back to a router without anything in RAM.
#[derive(Clone, Debug)]
pub struct TimedCall {
    /// True time, seconds since 1970.
    pub truth: i64,
    /// The call; none: a boot.
    pub call: Option<ScriptCall>,
}

/// The world before a script call.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The router.
    pub target: InProcess,
    /// What must be stored.
    pub expected: Arc<Expected>,
    /// What the NVRAM holds.
    pub views: NvramState,
    /// How times may differ.
    pub tolerance: Tolerance,
    /// What a kill leaves of dnsmasq: every strike ends in a restart, or in one more call.
    pub server: Arc<Server>,
    /// The clocks.
    pub clocks: Clocks,
    /// The call.
    pub call: Arc<ScriptCall>,
    /// How many events had begun.
    pub event: usize,
    /// Number of the step, from 1.
    pub step: usize,
}

/// Something a client does.
#[derive(Clone, Debug)]
pub struct Event {
    /// The client as it was before.
    pub client: Client,
    /// What it does.
    pub deed: ClientAction,
    /// The address, where the scenario names one.
    pub address: Option<IpAddr>,
    /// When.
    pub clocks: Clocks,
}
