//! What an explorer needs of an undisturbed run: the world before each script call, and what clients did.

use std::net::IpAddr;
use std::sync::Arc;

use super::Deed;
use super::clients::Client;
use super::clocks::Clocks;
use super::neighbours::Views;
use super::store::{Expected, Tolerance};
use crate::dnsmasq::{ScriptCall, Server};
use crate::target::InProcess;

/// The moments and events of a run, in their order.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// Before each script call.
    pub(crate) moments: Vec<Moment>,
    /// What clients did.
    pub(crate) events: Vec<Event>,
    /// True time at the beginning and at the end, seconds since 1970.
    pub(crate) truth: (i64, i64),
    /// Kept in place of the moments, where only the calls are wanted.
    pub(crate) calls: Option<Vec<TimedCall>>,
}

/// A script call, or power that comes back to a router without anything in RAM.
#[derive(Clone, Debug)]
pub(crate) struct TimedCall {
    /// True time, seconds since 1970.
    pub(crate) truth: i64,
    /// The call; none: a boot.
    pub(crate) call: Option<ScriptCall>,
}

/// The world before a script call.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    /// The router.
    pub(crate) target: InProcess,
    /// What must be stored.
    pub(crate) expected: Arc<Expected>,
    /// What the NVRAM holds.
    pub(crate) views: Views,
    /// How times may differ.
    pub(crate) tolerance: Tolerance,
    /// What a kill leaves of dnsmasq: every strike ends in a restart, or in one more call.
    pub(crate) server: Arc<Server>,
    /// The clocks.
    pub(crate) clocks: Clocks,
    /// The call.
    pub(crate) call: Arc<ScriptCall>,
    /// How many events had begun.
    pub(crate) event: usize,
    /// Number of the step, from 1.
    pub(crate) step: usize,
}

/// Something a client does.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The client as it was before.
    pub(crate) client: Client,
    /// What it does.
    pub(crate) deed: Deed,
    /// The address, where the scenario names one.
    pub(crate) address: Option<IpAddr>,
    /// When.
    pub(crate) clocks: Clocks,
}
