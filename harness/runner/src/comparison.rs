//! Drives the real dnsmasq of a back end, if it has one, with the same events as the engine, and reports where the two
//! differ. Without one, every function here does nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::action::ClientAction;
use super::client_ids::ClientIds;
use super::clients::{Client, Protocol};
use super::daemon_answers::DaemonAnswers;
use super::escapes::show;
use super::exchange;
use super::finding_kind::FindingKind;
use super::findings::Findings;
use super::router::{Ending, Router};
use super::tally::call_text;
use backend::{AddressRecord, BackendError, CallOptions, CallResult, Daemon, DaemonStart};
use dnsmasq_model::{CallDifference, IaKind, ScriptCall, legal_hostname};
use scenario::ReplyKind;

/// After this many unexpected calls in a row, the comparison stops waiting for the real dnsmasq to become idle.
pub(super) const MAX_UNEXPECTED_CALLS: usize = 2_000;

const SIGHUP: i32 = 1;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// The next call of a real dnsmasq.
#[derive(Debug)]
pub(super) enum NextCall {
    /// There is no real dnsmasq: the runner makes the engine's call itself.
    NoDaemon,
    /// The real dnsmasq made a call, with this result.
    Made(CallResult),
    /// The real dnsmasq made the call for another neighbour first, which was predicted for later.
    MadeLater(CallResult, usize),
    /// The real dnsmasq makes no call.
    Missing,
}

/// What a client got from a real dnsmasq.
#[derive(Debug)]
pub(super) struct Answer {
    reply: ReplyKind,
    address: Option<IpAddr>,
}

/// Whether the real dnsmasq can still be compared with the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It runs whenever the engine runs.
    Comparing,
    /// It exited although the engine did not, which was reported. It is not compared until the next start.
    Lost,
}

/// The comparison of a real dnsmasq with the engine.
#[derive(Debug)]
pub(super) struct Comparison {
    state: State,
    /// How dnsmasq passes long client-ids, as far as it is known.
    pub(super) ids: ClientIds,
}

impl Comparison {
    pub(super) fn new(ids: ClientIds) -> Self {
        Self { state: State::Comparing, ids }
    }

    fn daemon<'r>(&self, router: &'r mut Router<'_>) -> Option<&'r mut dyn Daemon> {
        match self.state {
            State::Lost => None,
            State::Comparing => router.backend.daemon(),
        }
    }

    /// The daemon, if the engine's dnsmasq runs.
    fn running<'r>(&self, router: &'r mut Router<'_>) -> Option<&'r mut dyn Daemon> {
        if router.engine().is_running() { self.daemon(router) } else { None }
    }

    /// Power was lost.
    pub(super) fn power_off(&mut self) {
        self.state = State::Comparing;
    }

    /// dnsmasq starts.
    pub(super) fn start(&mut self, router: &mut Router<'_>) -> Result<(), BackendError> {
        self.state = State::Comparing;
        let engine = router.server.engine();
        let config = engine.next_config();
        let start = DaemonStart {
            build: engine.build(),
            options: &router.command_line,
            config: &config,
            network: engine.network(),
            clock: router.clocks.now(),
        };
        match router.backend.daemon() {
            Some(daemon) => daemon.start(&start),
            None => Ok(()),
        }
    }

    /// Waits for a call, and compares it with the predicted one. `later`: the calls that were predicted to follow.
    pub(super) fn next_call(
        &mut self,
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
        (predicted, later): (&ScriptCall, &[ScriptCall]),
        plan: &CallOptions,
    ) -> Result<NextCall, BackendError> {
        if self.state == State::Lost {
            return Ok(NextCall::Missing);
        }
        let Some(daemon) = router.backend.daemon() else { return Ok(NextCall::NoDaemon) };
        let next = daemon.next_call(plan)?;
        let exited = daemon.has_exited();
        let Some((call, result)) = next else {
            if exited {
                self.report_death(router, findings)?;
            } else {
                let text = format!("it never made the call `{}`", call_text(predicted));
                findings.add(FindingKind::Mispredicted, text);
            }
            return Ok(NextCall::Missing);
        };
        let cut = |call: &ScriptCall| {
            let mut call = call.clone();
            call.truncate_ids();
            call
        };
        if *predicted != call && cut(predicted) == cut(&call) {
            self.ids.correct();
            return Ok(NextCall::Made(result));
        }
        if *predicted != call
            && is_about_a_neighbour(predicted)
            && let Some(index) = later
                .iter()
                .take_while(|other| is_about_a_neighbour(other))
                .position(|other| *other == call)
        {
            return Ok(NextCall::MadeLater(result, index));
        }
        for difference in differences(predicted, &call) {
            findings.add(FindingKind::Mispredicted, difference);
        }
        Ok(NextCall::Made(result))
    }

    /// Reports that the real dnsmasq has exited although the engine has not.
    fn report_death(
        &mut self,
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
    ) -> Result<(), BackendError> {
        self.state = State::Lost;
        let Some(daemon) = router.backend.daemon() else { return Ok(()) };
        let ended = daemon.wait()?;
        let how = match ended.status {
            status if status < 0 => format!("was killed by signal {}", -status),
            status => format!("exited with code {status}"),
        };
        let text = format!("it {how}; the last that it wrote: {}", ended.last_output);
        findings.add(FindingKind::Mispredicted, text);
        Ok(())
    }

    /// Compares the exit status of the real dnsmasq with the engine's.
    pub(super) fn ended(
        &mut self,
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
        status: i32,
    ) -> Result<(), BackendError> {
        let Some(daemon) = self.daemon(router) else { return Ok(()) };
        let ended = daemon.wait()?;
        if ended.status != status {
            let text = format!(
                "expected exit status {status}, found {}; its last output: {}",
                ended.status, ended.last_output
            );
            findings.add(FindingKind::Mispredicted, text);
        }
        Ok(())
    }

    /// Reports why a real dnsmasq did not start, in a case that does not expect it.
    pub(super) fn report_failed_start(
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
        status: i32,
    ) {
        if router.backend.daemon().is_none() {
            return;
        }
        let text = match status {
            5 => "it exited at its start with code 5: init printed more leases than its \
                  --dhcp-lease-max; let init print fewer, or raise the limit"
                .to_owned(),
            status if status < 0 => format!(
                "it was killed by signal {} at its start: init printed a line with a hardware address that is not \
                 hexadecimal; a script must leave such a line out",
                -status
            ),
            1 => "it exited at its start with code 1: its options contradict each other".to_owned(),
            3 => "it exited at its start with code 3: it cannot read a file that its options name, or run the script"
                .to_owned(),
            status => format!(
                "it exited at its start with code {status}: init must exit with 0 whatever is stored, and did not"
            ),
        };
        findings.add(FindingKind::Mispredicted, text);
    }

    /// dnsmasq is stopped.
    pub(super) fn stop(
        &mut self,
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
        ending: Ending,
    ) -> Result<(), BackendError> {
        let Some(daemon) = self.daemon(router) else { return Ok(()) };
        let (signal, status) = match ending {
            Ending::Terminated => (SIGTERM, 0),
            Ending::Killed => (SIGKILL, -SIGKILL),
        };
        daemon.signal(signal)?;
        self.ended(router, findings, status)
    }

    /// dnsmasq gets SIGHUP.
    pub(super) fn sighup(&self, router: &mut Router<'_>) -> Result<(), BackendError> {
        let clock = router.clocks.now();
        match self.running(router) {
            Some(daemon) => {
                daemon.set_clock(clock)?;
                daemon.signal(SIGHUP)
            }
            None => Ok(()),
        }
    }

    /// Passes the clocks on after they have changed.
    pub(super) fn sync_clock(&self, router: &mut Router<'_>) -> Result<(), BackendError> {
        let clock = router.clocks.now();
        self.daemon(router).map_or(Ok(()), |daemon| daemon.set_clock(clock))
    }

    /// Sends the alarm that is due.
    pub(super) fn sigalrm(&self, router: &mut Router<'_>) -> Result<(), BackendError> {
        self.daemon(router).map_or(Ok(()), Daemon::send_alarm)
    }

    /// Reports the next call that the engine did not predict. `None` when dnsmasq is idle.
    pub(super) fn unexpected_call(
        &self,
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
    ) -> Result<Option<(ScriptCall, CallResult)>, BackendError> {
        let Some(daemon) = self.daemon(router) else { return Ok(None) };
        let Some((call, result)) = daemon.next_call(&CallOptions::default())? else {
            return Ok(None);
        };
        let text = format!("it also made the call `{}`", call_text(&call));
        findings.add(FindingKind::Mispredicted, text);
        Ok(Some((call, result)))
    }

    /// Compares whether an idle dnsmasq still runs, and when its next alarm is due.
    pub(super) fn compare_idle(
        &mut self,
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
    ) -> Result<(), BackendError> {
        let predicted = router.engine().next_alarm();
        let advertises = router.engine().config().advertises;
        let is_busy = router.engine().is_busy();
        let Some(daemon) = self.daemon(router) else { return Ok(()) };
        if daemon.has_exited() {
            return self.report_death(router, findings);
        }
        if daemon.alarm_is_hidden() || advertises || is_busy {
            return Ok(());
        }
        let real = daemon.alarm();
        if real != predicted {
            let text = |at: Option<i64>| at.map_or("never".to_owned(), |at| format!("at {at} s"));
            let text = format!(
                "its next SIGALRM is due {} after power-on, expected {}",
                text(real),
                text(predicted)
            );
            findings.add(FindingKind::Mispredicted, text);
        }
        Ok(())
    }

    /// A client sends its messages to the real dnsmasq. `None` where there is none.
    pub(super) fn exchange(
        &self,
        router: &mut Router<'_>,
        client: &Client,
        action: ClientAction,
        address: Option<IpAddr>,
    ) -> Result<Option<Answer>, BackendError> {
        let clock = router.clocks.now();
        let Some(daemon) = self.running(router) else { return Ok(None) };
        let mut client = client.clone();
        let mut answers = DaemonAnswers::new(daemon, clock);
        let reply = exchange::exchange(&mut answers, &mut client, action, address);
        answers.finish()?;
        let late = self.daemon(router).map_or(0, Daemon::lateness);
        router.clocks.pass(late);
        if let (Protocol::V6 { kind: IaKind::Ta, .. }, Some(IpAddr::V6(given))) =
            (&client.protocol, client.address)
        {
            // dnsmasq chooses temporary addresses at random; the engine must choose the same one.
            router.server.expect_temporary_address(given);
        }
        Ok(Some(Answer { reply, address: client.address }))
    }

    /// Compares what a client got with what the engine answered.
    pub(super) fn compare_answer(
        &self,
        findings: &mut Findings<'_>,
        real: &Answer,
        reply: ReplyKind,
        client: &Client,
    ) {
        if self.state == State::Lost {
            return;
        }
        let text = if real.reply != reply {
            format!("its answer to {} was {}, not {}", client.name, real.reply.name(), reply.name())
        } else if real.address != client.address {
            let text = |address: Option<IpAddr>| {
                address.map_or("no address".to_owned(), |address| address.to_string())
            };
            format!("it gave {} {}, not {}", client.name, text(real.address), text(client.address))
        } else {
            return;
        };
        findings.add(FindingKind::Mispredicted, text);
    }

    /// Checks right after a start that the names of each lease are answered with its address.
    pub(super) fn check_names(
        &self,
        router: &mut Router<'_>,
        findings: &mut Findings<'_>,
    ) -> Result<(), BackendError> {
        if self.daemon(router).is_none() {
            return Ok(());
        }
        let mut names: BTreeMap<(Vec<u8>, AddressRecord), Vec<IpAddr>> = BTreeMap::new();
        let now = router.engine().build().now(router.clocks.now());
        for lease in router.engine().leases().filter(|lease| !lease.has_expired(now)) {
            let record = match lease.addr {
                IpAddr::V4(_) => AddressRecord::A,
                IpAddr::V6(_) => AddressRecord::Aaaa,
            };
            for name in router.engine().answered_names(lease).filter_map(legal_hostname) {
                names.entry((name.to_ascii_lowercase(), record)).or_default().push(lease.addr);
            }
        }
        for ((name, record), addresses) in names {
            let Some(daemon) = self.daemon(router).filter(|daemon| !daemon.has_exited()) else {
                break;
            };
            let found = match daemon.resolve(&name, record) {
                // dnsmasq accepts host names with labels for which there is no DNS query.
                Ok(None) | Err(BackendError::Message(_)) => continue,
                found => found?.unwrap_or_default(),
            };
            for address in addresses.iter().filter(|address| !found.contains(address)) {
                let answers: Vec<String> = found.iter().map(ToString::to_string).collect();
                let answers =
                    if answers.is_empty() { "no address".to_owned() } else { answers.join(", ") };
                let text = format!(
                    "right after its start it answers {} with {answers}, not with {address}",
                    show(&name)
                );
                findings.add(FindingKind::Mispredicted, text);
            }
        }
        Ok(())
    }

    /// Whether the real dnsmasq answers queries for a name; `None` where there is none.
    pub(super) fn resolves(
        &self,
        router: &mut Router<'_>,
        name: &str,
    ) -> Result<Option<bool>, BackendError> {
        let mut answers = None;
        for record in [AddressRecord::A, AddressRecord::Aaaa] {
            let Some(daemon) = self.running(router) else { return Ok(None) };
            if let Some(found) = daemon.resolve(name.as_bytes(), record)? {
                answers = Some(answers.unwrap_or(false) || !found.is_empty());
            }
        }
        Ok(answers)
    }
}

/// Whether a call is about a neighbour, not about a lease.
fn is_about_a_neighbour(call: &ScriptCall) -> bool {
    matches!(call.action(), b"arp-add" | b"arp-del")
}

/// One text for each argument or variable in which two calls differ.
fn differences(predicted: &ScriptCall, real: &ScriptCall) -> Vec<String> {
    let text = |value: Option<&[u8]>| value.map_or("not set".to_owned(), show);
    let describe = |difference: &CallDifference<'_>| match *difference {
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
    predicted.differences(real).iter().map(describe).collect()
}
