//! What happens to a router, as a list: for everything that is no household.
//!
//! Whoever has a recording of some kind makes a [`Workload`] of it, and everything else follows: each script, dialect and
//! chip counted, reports, charts. Two kinds of events can be mixed with care: calls that dnsmasq made already
//! ([`WorkloadEvent::Call`]; they belong to one build), and what dnsmasq itself met ([`WorkloadEvent::Start`], [`WorkloadEvent::Message`],
//! [`WorkloadEvent::Sighup`]; the engine makes the calls, in either build).

use std::net::Ipv4Addr;

use dnsmasq_model::{
    Build, Client4, Client6, HwAddr, Ia, Kind4, Kind6, Network, Reply4, Reply6, ScriptCall,
    ServerConfig,
};

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkloadEvent {
    /// A script call, as dnsmasq made it.
    Call(ScriptCall),
    /// dnsmasq starts: `init`, then the calls that follow from what it printed.
    Start,
    /// A client's message, and what the server answered.
    Message {
        /// Who.
        client: Client4,
        /// What it is.
        kind: Kind4,
        /// The address asked for or owned.
        addr: Ipv4Addr,
        /// The answer.
        reply: Reply4,
    },
    /// A neighbour comes into the kernel's table, or goes. dnsmasq looks with the next event, every 90 s at most.
    Neighbour {
        /// Its address.
        addr: Ipv4Addr,
        /// Its hardware address.
        hw: HwAddr,
        /// Whether it is there from now on.
        there: bool,
    },
    /// A DHCPv6 client's message, and what the server answered.
    Message6 {
        /// Who.
        client: Client6,
        /// What it is.
        kind: Kind6,
        /// The associations in the message.
        asked: Vec<Ia>,
        /// The answer.
        reply: Reply6,
    },
    /// SIGHUP to dnsmasq.
    Sighup,
    /// Power goes: dnsmasq is gone, RAM is empty.
    PowerOff,
    /// Variables `name=value` that are stored already, and cost nothing.
    Found(Vec<Vec<u8>>),
}

/// Events in the order of their time.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What to call it in reports.
    pub label: String,
    /// The build whose calls these are; none: engine events, for either.
    pub build: Option<Build>,
    /// dnsmasq's options, for engine events.
    pub server: ServerConfig,
    /// The router's addresses, for engine events.
    pub network: Network,
    /// True time of second 0, since 1970.
    pub begin: i64,
    /// How long it lasts, seconds.
    pub seconds: u64,
    /// Each with its second; never decreasing.
    pub events: Vec<(u64, WorkloadEvent)>,
}

impl Workload {
    /// Whether dnsmasq has anything to tell its script.
    pub fn has_calls(&self) -> bool {
        self.events
            .iter()
            .any(|(_, event)| !matches!(event, WorkloadEvent::PowerOff | WorkloadEvent::Found(_)))
    }
}
