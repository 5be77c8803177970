//! The dnsmasq that scripts find on the router.
//!
//! The engine that stands for dnsmasq is no process of the router. The agent has its name, so that a script that looks for
//! dnsmasq finds it, and can send it signals; the runner does what dnsmasq would do then.

use std::io;

use rustix::thread::set_name;
use signal_hook::consts::SIGHUP;
use signal_hook::iterator::Signals;

use crate::call::DnsmasqSignal;

/// The real-time signal by which `service.sh` says that dnsmasq is to be restarted. SIGTERM would not do: the agent is also the
/// first process of the router, to which `reboot` sends it.
const RESTART: i32 = 40;

/// The signals that scripts have sent to the agent.
#[derive(Debug)]
pub(super) struct DnsmasqStandIn(Signals);

impl DnsmasqStandIn {
    /// Gives this process, the first one of its namespace, the name of dnsmasq.
    pub(super) fn new() -> io::Result<Self> {
        set_name(c"dnsmasq")?;
        Ok(Self(Signals::new([SIGHUP, RESTART])?))
    }

    /// The signals since the last time, equal ones once.
    pub(super) fn take_signals(&mut self) -> Vec<DnsmasqSignal> {
        let signals = self.0.pending();
        signals
            .map(|signal| match signal {
                RESTART => DnsmasqSignal::Terminate,
                _ => DnsmasqSignal::Reload,
            })
            .collect()
    }
}
