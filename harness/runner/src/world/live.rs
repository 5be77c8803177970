//! Where a real dnsmasq runs: it is told what happens, and what it does is held against what the engine said.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::{Ending, PreparedCall, World};
use crate::ClientAction;
use crate::clients::{Client, Protocol};
use crate::exchange::{self, Answers};
use crate::findings::FindingKind;
use crate::lines::show;
use crate::tally::call_text;
use backend::{BackendError, CallOptions, CallResult, Daemon, DaemonStart};
use dnsmasq_model::{
    CallDifference, Client4, Client6, Clock, Ia, IaKind, Kind4, Kind6, Reply4, Reply6, ScriptCall,
    legal_hostname,
};
use scenario::ReplyKind;

/// After so many calls that nobody foresaw, dnsmasq is out of control.
const MAX_UNFORESEEN: usize = 2_000;

const SIGHUP: i32 = 1;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// The next call of a real dnsmasq.
#[derive(Debug)]
pub(super) enum Next {
    /// There is no real dnsmasq.
    NotLive,
    /// It came, and did this.
    Came(CallResult),
    /// dnsmasq is at rest without it.
    Never,
}

/// What a client got of a real dnsmasq.
#[derive(Debug)]
pub(crate) struct Real {
    reply: ReplyKind,
    address: Option<IpAddr>,
}

/// A real dnsmasq as the server of an exchange.
struct Answering<'a> {
    daemon: &'a mut dyn Daemon,
    clock: Clock,
    failed: Option<BackendError>,
}

impl Answering<'_> {
    fn message6(&mut self, kind: Kind6, client: &Client6, asked: &[Ia]) -> Reply6 {
        let reply = self.daemon.message6(kind, client, asked, self.clock);
        reply.unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            Reply6::Silent
        })
    }
}

impl Answers for Answering<'_> {
    fn message4(&mut self, kind: Kind4, client: &Client4, addr: Ipv4Addr) -> Reply4 {
        let reply = self.daemon.message4(kind, client, addr, self.clock);
        reply.unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            Reply4::Silent
        })
    }

    fn join6(&mut self, client: &Client6, kind: IaKind, iaid: u32) -> Reply6 {
        let wanted = Ia { kind, iaid, addrs: Vec::new(), valid: 0 };
        match self.message6(Kind6::Solicit, client, &[wanted]) {
            Reply6::Reply(mut offered) if !offered.is_empty() => {
                for ia in &mut offered {
                    // The client leaves the time to the server.
                    ia.valid = 0;
                }
                self.message6(Kind6::Request, client, &offered)
            }
            other => other,
        }
    }

    fn renew6(&mut self, client: &Client6, rebind: bool, asked: &[Ia]) -> Reply6 {
        let kind = if rebind { Kind6::Rebind } else { Kind6::Renew };
        self.message6(kind, client, asked)
    }

    fn server_duid(&self) -> Vec<u8> {
        // It says itself whether it is the one.
        Vec::new()
    }

    fn release6(&mut self, client: &Client6, decline: bool, asked: &[Ia]) -> Reply6 {
        let kind = if decline { Kind6::Decline } else { Kind6::Release };
        // The answer gives nothing.
        match self.message6(kind, client, asked) {
            Reply6::Reply(_) => Reply6::Reply(Vec::new()),
            other => other,
        }
    }
}

impl World<'_> {
    fn unforeseen(&mut self, text: impl Into<String>) {
        self.findings.add(FindingKind::Unforeseen, text);
    }

    /// The real dnsmasq, while it is where the engine's is.
    fn daemon(&mut self) -> Option<&mut dyn Daemon> {
        if self.lost { None } else { self.target.daemon() }
    }

    pub(super) fn start_live(&mut self) -> Result<(), BackendError> {
        self.lost = false;
        let engine = self.server.engine();
        let start = DaemonStart {
            build: engine.build(),
            options: &self.options,
            config: engine.config(),
            network: engine.network(),
            clock: self.clocks.now(),
        };
        match self.target.daemon() {
            Some(daemon) => daemon.start(&start),
            None => Ok(()),
        }
    }

    /// Waits for a call, and holds it against the prediction.
    pub(super) fn next_live(
        &mut self,
        predicted: &ScriptCall,
        plan: &CallOptions,
    ) -> Result<Next, BackendError> {
        if self.lost {
            return Ok(Next::Never);
        }
        let Some(daemon) = self.target.daemon() else { return Ok(Next::NotLive) };
        let came = daemon.next_call(plan)?;
        let gone = daemon.has_exited();
        let Some((call, result)) = came else {
            if gone {
                self.report_death()?;
            } else {
                let text = format!("it never made the call `{}`", call_text(predicted));
                self.unforeseen(text);
            }
            return Ok(Next::Never);
        };
        let cut = |call: &ScriptCall| {
            let mut call = call.clone();
            call.truncate_ids();
            call
        };
        if *predicted != call && cut(predicted) == cut(&call) {
            self.cuts_ids = !self.cuts_ids;
            self.other_ids |= self.fixed_ids;
            return Ok(Next::Came(result));
        }
        for difference in differences(predicted, &call) {
            self.unforeseen(difference);
        }
        Ok(Next::Came(result))
    }

    /// dnsmasq has ended where it should not have.
    fn report_death(&mut self) -> Result<(), BackendError> {
        self.lost = true;
        let Some(daemon) = self.target.daemon() else { return Ok(()) };
        let ended = daemon.wait()?;
        let how = match ended.status {
            status if status < 0 => format!("died by signal {}", -status),
            status => format!("ended with exit code {status}"),
        };
        let text = format!("it {how}; the last that it wrote: {}", ended.last_output);
        self.unforeseen(text);
        Ok(())
    }

    /// dnsmasq was to end by itself, with this status.
    pub(super) fn end_live(&mut self, status: i32) -> Result<(), BackendError> {
        let Some(daemon) = self.daemon() else { return Ok(()) };
        let ended = daemon.wait()?;
        if ended.status != status {
            let text = format!(
                "it was to end with {status}, and ended with {}: {}",
                ended.status, ended.last_output
            );
            self.unforeseen(text);
        }
        Ok(())
    }

    /// A real dnsmasq did not start, and the scenario does not say that it should not.
    pub(crate) fn report_exit(&mut self) {
        let Some(status) = self.dnsmasq_exit else { return };
        if self.target.daemon().is_none() {
            return;
        }
        let text = match status {
            5 => "it ended at its start with exit code 5: init printed more leases than its \
                  --dhcp-lease-max; let init print fewer, or raise the limit"
                .to_owned(),
            status if status < 0 => format!(
                "it died by signal {} at its start: init printed a line with a hardware address that is not \
                 hexadecimal; a script must leave such a line out",
                -status
            ),
            status => format!(
                "it ended at its start with exit code {status}: init did not end with 0, which it must \
                 whatever is stored"
            ),
        };
        self.unforeseen(text);
    }

    pub(super) fn stop_live(&mut self, ending: Ending) -> Result<(), BackendError> {
        let Some(daemon) = self.daemon() else { return Ok(()) };
        let (signal, status) = match ending {
            Ending::Terminated => (SIGTERM, 0),
            Ending::Killed => (SIGKILL, -SIGKILL),
        };
        daemon.signal(signal)?;
        self.end_live(status)
    }

    pub(super) fn hang_up_live(&mut self) -> Result<(), BackendError> {
        let clock = self.clocks.now();
        let running = self.engine().is_running();
        match self.daemon().filter(|_| running) {
            Some(daemon) => {
                daemon.set_clock(clock)?;
                daemon.signal(SIGHUP)
            }
            None => Ok(()),
        }
    }

    /// What the clocks show has changed.
    pub(crate) fn sync_clock(&mut self) -> Result<(), BackendError> {
        let clock = self.clocks.now();
        self.daemon().map_or(Ok(()), |daemon| daemon.set_clock(clock))
    }

    /// SIGALRM is due.
    pub(super) fn wake_live(&mut self) -> Result<(), BackendError> {
        self.daemon().map_or(Ok(()), Daemon::send_alarm)
    }

    /// Nothing more is to come: whatever comes all the same was not foreseen.
    pub(super) fn rest(&mut self) -> Result<(), BackendError> {
        let running = self.engine().is_running();
        if !self.powered || !running {
            return Ok(());
        }
        for _ in 0..MAX_UNFORESEEN {
            let Some(daemon) = self.daemon() else { return Ok(()) };
            let Some((call, result)) = daemon.next_call(&CallOptions::default())? else { break };
            self.unforeseen(format!("it also made the call `{}`", call_text(&call)));
            self.after(&call, &result, PreparedCall::default())?;
        }
        let Some(daemon) = self.daemon() else { return Ok(()) };
        if daemon.has_exited() {
            return self.report_death();
        }
        if daemon.alarm_is_hidden() {
            return Ok(());
        }
        let real = daemon.alarm();
        let predicted = self.engine().next_alarm();
        if real != predicted {
            let text = |at: Option<i64>| at.map_or("never".to_owned(), |at| format!("at {at} s"));
            self.unforeseen(format!(
                "its next SIGALRM is due {} after power-on, and was expected {}",
                text(real),
                text(predicted)
            ));
        }
        Ok(())
    }

    /// A client speaks to the real dnsmasq, where there is one.
    pub(crate) fn exchange_live(
        &mut self,
        client: &Client,
        deed: ClientAction,
        address: Option<IpAddr>,
    ) -> Result<Option<Real>, BackendError> {
        let clock = self.clocks.now();
        let running = self.engine().is_running();
        let Some(daemon) = self.daemon().filter(|_| running) else { return Ok(None) };
        let mut client = client.clone();
        let mut server = Answering { daemon, clock, failed: None };
        let reply = exchange::exchange(&mut server, &mut client, deed, address);
        if let Some(error) = server.failed {
            return Err(error);
        }
        let late = self.daemon().map_or(0, Daemon::lateness);
        self.clocks.pass(late);
        if let (Protocol::V6 { kind: IaKind::Ta, .. }, Some(IpAddr::V6(given))) =
            (&client.protocol, client.address)
        {
            // Drawn at random: the engine is told.
            self.server.expect_temporary_address(given);
        }
        Ok(Some(Real { reply, address: client.address }))
    }

    /// Holds what a client got against what the engine said.
    pub(crate) fn compare_exchange(&mut self, real: &Real, reply: ReplyKind, client: &Client) {
        if self.lost {
            return;
        }
        if real.reply != reply {
            let text = format!("its answer to {} was {:?}, not {reply:?}", client.name, real.reply);
            self.unforeseen(text);
        } else if real.address != client.address {
            let text = |address: Option<IpAddr>| {
                address.map_or("no address".to_owned(), |address| address.to_string())
            };
            let text = format!(
                "it gave {} {}, not {}",
                client.name,
                text(real.address),
                text(client.address)
            );
            self.unforeseen(text);
        }
    }

    /// After a start: the name of each lease is answered with its address at once.
    pub(super) fn ask_names(&mut self) -> Result<(), BackendError> {
        let mut names: BTreeMap<(Vec<u8>, bool), Vec<IpAddr>> = BTreeMap::new();
        let now = self.engine().build().now(self.clocks.now());
        for lease in self.engine().leases().filter(|lease| !lease.is_over(now)) {
            let Some(name) = lease.hostname.as_deref().and_then(legal_hostname) else { continue };
            let key = (name.to_ascii_lowercase(), lease.addr.is_ipv6());
            names.entry(key).or_default().push(lease.addr);
        }
        for ((name, v6), addresses) in names {
            let Some(daemon) = self.daemon().filter(|daemon| !daemon.has_exited()) else { break };
            let Some(found) = daemon.resolve(&name, v6)? else { continue };
            for address in addresses.iter().filter(|address| !found.contains(address)) {
                let text = format!(
                    "asked for {} right after its start, it does not say {address} but {found:?}",
                    show(&name)
                );
                self.unforeseen(text);
            }
        }
        Ok(())
    }

    /// Whether the real dnsmasq answers for a name; `None` where there is none.
    pub(crate) fn resolves(&mut self, name: &str) -> Result<Option<bool>, BackendError> {
        let running = self.engine().is_running();
        let mut answers = None;
        for v6 in [false, true] {
            let Some(daemon) = self.daemon().filter(|_| running) else { return Ok(None) };
            if let Some(found) = daemon.resolve(name.as_bytes(), v6)? {
                answers = Some(answers.unwrap_or(false) || !found.is_empty());
            }
        }
        Ok(answers)
    }
}

/// How two calls differ, word by word and variable by variable.
fn differences(predicted: &ScriptCall, real: &ScriptCall) -> Vec<String> {
    let text = |value: Option<&[u8]>| value.map_or("not set".to_owned(), show);
    let worded = |difference: &CallDifference<'_>| match *difference {
        CallDifference::Arguments => format!(
            "it made the call `{}` where `{}` was expected",
            call_text(real),
            call_text(predicted)
        ),
        CallDifference::Variable { name, expected, actual } => format!(
            "in the call `{}` {name} is {}, expected {}",
            call_text(real),
            text(actual),
            text(expected)
        ),
    };
    predicted.differences(real).iter().map(worded).collect()
}
