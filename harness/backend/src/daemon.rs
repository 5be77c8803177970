//! A real dnsmasq, as a target with one offers it.

use std::net::{IpAddr, Ipv4Addr};

use super::{CallResult, Plan, TargetError};
use dnsmasq_model::{
    Build, Client4, Client6, Clock, Ia, Kind4, Kind6, Network, Reply4, Reply6, ScriptCall,
    ServerConfig,
};

/// How dnsmasq is started.
#[derive(Debug)]
pub struct Start<'a> {
    /// Which build.
    pub build: Build,
    /// Its command line, the program's name first.
    pub options: &'a [String],
    /// The same, read.
    pub config: &'a ServerConfig,
    /// The router's addresses.
    pub network: &'a Network,
    /// When.
    pub clock: Clock,
}

/// How dnsmasq ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Exit code, or minus the signal that killed it.
    pub status: i32,
    /// The last that it wrote.
    pub words: String,
}

/// A real dnsmasq. It is given messages, signals and time; what it makes of them are script calls, one after another.
pub trait Daemon {
    /// Starts it. It will call `init` first.
    ///
    /// # Errors
    /// When it cannot be started at all.
    fn start(&mut self, start: &Start<'_>) -> Result<(), TargetError>;

    /// The next script call: what the script was called with, and what it did. `None` when dnsmasq is at rest, or has
    /// ended, and there is none.
    ///
    /// # Errors
    /// When it is neither within the limit.
    fn next_call(&mut self, plan: &Plan) -> Result<Option<(ScriptCall, CallResult)>, TargetError>;

    /// When SIGALRM is due on the monotonic clock, as it said when it was last at rest.
    fn alarm(&self) -> Option<i64>;

    /// Whether nobody can tell from outside when its SIGALRM is due. It is sent one then: see [`Daemon::wake`].
    fn hides_alarm(&self) -> bool {
        false
    }

    /// Its alarm is due. One that waits on the laboratory's clock wakes by itself.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn wake(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    /// By how many seconds it took the last message later than it was told, where time does not stand still for it.
    fn lateness(&mut self) -> i64 {
        0
    }

    /// Time has passed, or a clock was set.
    ///
    /// # Errors
    /// When the clock cannot be written.
    fn set_clock(&mut self, clock: Clock) -> Result<(), TargetError>;

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn signal(&mut self, signal: i32) -> Result<(), TargetError>;

    /// Whether it does not run.
    fn is_gone(&self) -> bool;

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end within the limit.
    fn end(&mut self) -> Result<Ended, TargetError>;

    /// A client sends a DHCPv4 message, and waits for the answer.
    ///
    /// # Errors
    /// When there is neither an answer nor rest within the limit.
    fn message4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, TargetError>;

    /// A client sends a DHCPv6 message, and waits for the answer.
    ///
    /// # Errors
    /// As [`Daemon::message4`].
    fn message6(
        &mut self,
        kind: Kind6,
        client: &Client6,
        asked: &[Ia],
        clock: Clock,
    ) -> Result<Reply6, TargetError>;

    /// Asks it for the addresses of a name. `None` where it serves no names.
    ///
    /// # Errors
    /// When it does not answer within the limit.
    fn resolve(&mut self, name: &[u8], v6: bool) -> Result<Option<Vec<IpAddr>>, TargetError>;
}
