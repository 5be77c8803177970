//! Lists of the events of a router, for all sources except the simulated household.
//!
//! Every kind of recording can be converted into a [`Workload`], from which the wear caused by scripts, dialects and
//! chips is computed. There are two groups of events. Script calls that a dnsmasq has made ([`WorkloadEvent::Call`])
//! belong to one build. Inputs of dnsmasq ([`WorkloadEvent::Start`], [`WorkloadEvent::Message`],
//! [`WorkloadEvent::Sighup`]) fit both builds, because the engine makes the calls.

use std::net::Ipv4Addr;

use dnsmasq_model::{
    Build, Client4, Client6, HwAddr, Ia, Kind4, Kind6, Network, Reply4, Reply6, ScriptCall,
    ServerConfig,
};

/// An event of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkloadEvent {
    /// A script call that dnsmasq made.
    Call(ScriptCall),
    /// dnsmasq starts. It calls `init`, and then makes the calls that follow from the output.
    Start,
    /// A DHCPv4 message and the reply to it.
    Message {
        /// The client.
        client: Client4,
        /// The kind of message.
        kind: Kind4,
        /// The requested address, or the client's own.
        addr: Ipv4Addr,
        /// The reply.
        reply: Reply4,
    },
    /// A neighbour is added to the kernel's table or removed from it. dnsmasq reads the table at the next event, but at
    /// most every 90 seconds.
    Neighbour {
        /// Its address.
        addr: Ipv4Addr,
        /// Its hardware address.
        hw: HwAddr,
        /// Whether it is added. Otherwise it is removed.
        added: bool,
    },
    /// A DHCPv6 message and the reply to it.
    Message6 {
        /// The client.
        client: Client6,
        /// The kind of message.
        kind: Kind6,
        /// The associations in the message.
        asked: Vec<Ia>,
        /// The reply.
        reply: Reply6,
    },
    /// dnsmasq receives SIGHUP.
    Sighup,
    /// The power fails: dnsmasq ends, and the contents of RAM are lost.
    PowerOff,
    /// Variables, each `name=value`, that are already stored and do not count as writes.
    Stored(Vec<Vec<u8>>),
}

/// Events in chronological order.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The name in reports.
    pub label: String,
    /// The build that made the calls, or `None` for inputs of dnsmasq, which fit both builds.
    pub build: Option<Build>,
    /// The options of dnsmasq. Only inputs of dnsmasq use them.
    pub server: ServerConfig,
    /// The addresses of the router. Only inputs of dnsmasq use them.
    pub network: Network,
    /// The true time of second 0, in seconds since 1970.
    pub begin: i64,
    /// Duration in seconds.
    pub seconds: u64,
    /// The events, each with its second, in chronological order.
    pub events: Vec<(u64, WorkloadEvent)>,
}

impl Workload {
    /// Returns whether there are events that lead to script calls.
    pub fn has_calls(&self) -> bool {
        self.events
            .iter()
            .any(|(_, event)| !matches!(event, WorkloadEvent::PowerOff | WorkloadEvent::Stored(_)))
    }
}
