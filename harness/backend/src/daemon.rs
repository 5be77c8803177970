//! The interface of a real dnsmasq, for back ends that have one.

use std::net::{IpAddr, Ipv4Addr};

use super::call::{CallOptions, CallResult};
use super::error::BackendError;
use dnsmasq_model::{
    Build, Client4, Client6, Clock, Ia, Kind4, Kind6, Network, Release, Reply4, Reply6, ScriptCall,
    ServerConfig,
};

/// The parameters of a start of dnsmasq.
#[derive(Debug)]
pub struct DaemonStart<'a> {
    /// The build of dnsmasq.
    pub build: Build,
    /// Its command line, with the program's name first.
    pub options: &'a [String],
    /// The same options, parsed.
    pub config: &'a ServerConfig,
    /// The router's addresses.
    pub network: &'a Network,
    /// Both clocks at the start.
    pub clock: Clock,
}

/// The type of the DNS records in which addresses are requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressRecord {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

/// How dnsmasq ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonExit {
    /// Exit code, or minus the number of the signal that killed it.
    pub status: i32,
    /// The last lines of its log.
    pub last_output: String,
}

/// A real dnsmasq. It receives messages, signals and the time, and makes script calls one after the other.
///
/// dnsmasq is *idle* when it waits for input and has no script call to make.
pub trait Daemon {
    /// The release of the dnsmasq of this build, if it is known.
    ///
    /// # Errors
    /// If dnsmasq has to be asked for its release, and does not answer.
    fn release(&mut self, _build: Build) -> Result<Option<Release>, BackendError> {
        Ok(None)
    }

    /// Starts dnsmasq. Its first script call is `init`.
    ///
    /// # Errors
    /// If dnsmasq cannot be started.
    fn start(&mut self, start: &DaemonStart<'_>) -> Result<(), BackendError>;

    /// Waits for the next script call and runs the script. `None` if dnsmasq is idle or has exited.
    ///
    /// # Errors
    /// If dnsmasq neither makes a call nor becomes idle within the time limit.
    fn next_call(
        &mut self,
        options: &CallOptions,
    ) -> Result<Option<(ScriptCall, CallResult)>, BackendError>;

    /// The time on the monotonic clock, in seconds, for which dnsmasq had set SIGALRM when it last became idle.
    fn alarm(&self) -> Option<i64>;

    /// Whether the time of SIGALRM cannot be observed from outside. Then [`Daemon::send_alarm`] sends the signal.
    fn alarm_is_hidden(&self) -> bool {
        false
    }

    /// Sends SIGALRM, which is due. Does nothing where dnsmasq runs on the simulated clock, which delivers the signal.
    ///
    /// # Errors
    /// If dnsmasq cannot be reached.
    fn send_alarm(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    /// The delay in seconds with which dnsmasq handled the last message. Always 0 where the simulated clock does not advance
    /// during a message.
    fn lateness(&mut self) -> i64 {
        0
    }

    /// Sets dnsmasq's clocks.
    ///
    /// # Errors
    /// If they cannot be set.
    fn set_clock(&mut self, clock: Clock) -> Result<(), BackendError>;

    /// Sends a signal.
    ///
    /// # Errors
    /// If dnsmasq cannot be reached.
    fn signal(&mut self, signal: i32) -> Result<(), BackendError>;

    /// Whether dnsmasq has exited or was never started.
    fn has_exited(&self) -> bool;

    /// Waits for dnsmasq to exit.
    ///
    /// # Errors
    /// If it does not exit within the time limit.
    fn wait(&mut self) -> Result<DaemonExit, BackendError>;

    /// Sends a DHCPv4 message as a client, and waits for the reply.
    ///
    /// # Errors
    /// [`BackendError::Message`] if the message cannot be encoded; another error if dnsmasq neither replies nor becomes idle within the time limit.
    fn message4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, BackendError>;

    /// Sends a DHCPv6 message as a client, and waits for the reply.
    ///
    /// # Errors
    /// See [`Daemon::message4`].
    fn message6(
        &mut self,
        kind: Kind6,
        client: &Client6,
        asked: &[Ia],
        clock: Clock,
    ) -> Result<Reply6, BackendError>;

    /// Sends a DNS query for the addresses of a name. `None` if dnsmasq does not serve DNS.
    ///
    /// # Errors
    /// [`BackendError::Message`] if no query can be encoded for the name; another error if dnsmasq does not answer within
    /// the time limit.
    fn resolve(
        &mut self,
        name: &[u8],
        record: AddressRecord,
    ) -> Result<Option<Vec<IpAddr>>, BackendError>;
}
