//! dnsmasq in a guest, as a [`Daemon`].

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::lifecycle::{DaemonState, Router};
use super::polling::WaitFor;
use crate::error::QemuError;
use crate::guest_config::MAC;
use crate::shell_quote::shell_quote;
use crate::timeouts::Deadline;
use backend::{
    AddressRecord, BackendError, CallOptions, CallResult, Daemon, DaemonExit, DaemonStart,
};
use dnsmasq_model::{
    Build, Client4, Client6, Clock, Ia, Kind4, Kind6, Release, Reply4, Reply6, ScriptCall,
};
use packets::dhcp4;

const SIGALRM: i32 = 14;

/// Where the guest's kernel does not count datagrams: time without a reply after which an idle dnsmasq is assumed to have
/// ignored the message.
const SILENCE: Duration = Duration::from_millis(450);

/// A message of a client, for matching its reply.
#[derive(Clone, Copy)]
struct Sent {
    xid: u32,
    kind: Kind4,
    address: Ipv4Addr,
}

/// What the states of dnsmasq before and after a message show about its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// dnsmasq has not received the message yet.
    NotReceived,
    /// It has received the message, and sent something since.
    Replied,
    /// It has received the message, and sent nothing.
    Ignored,
    /// It has received the message, and the kernel does not count what it sent.
    Unknown,
}

impl Progress {
    pub(super) fn between(before: &DaemonState, after: &DaemonState) -> Self {
        match (before.datagrams, after.datagrams) {
            (Some((received, _)), Some((now, _))) if now == received => Self::NotReceived,
            (Some((_, sent)), Some((_, now))) if now == sent => Self::Ignored,
            (Some(_), Some(_)) => Self::Replied,
            _ if before.slices == after.slices => Self::NotReceived,
            _ => Self::Unknown,
        }
    }
}

impl Router<'_> {
    fn start_dnsmasq(&mut self, start: &DaemonStart<'_>) -> Result<(), QemuError> {
        self.clock = start.clock;
        let wall = start.clock.wall;
        let interface = self.config.interface.clone();
        let jail = self.config.jail.clone();
        let guest = self.running_guest()?;
        let mut script = format!("date -u -s @{wall} >/dev/null\n");
        for (address, prefix) in &start.network.v4 {
            _ = writeln!(script, "ip addr add {address}/{prefix} dev {interface} 2>/dev/null");
        }
        _ = writeln!(
            script,
            "ip link set {interface} up\n\
             rm -f /tmp/lab/ended /tmp/lab/started\n\
             mkfifo /tmp/lab/started\n\
             ( {} & echo $! >/tmp/lab/pid; echo >/tmp/lab/started; \
             wait $!; echo $? >/tmp/lab/ended; echo ended >/tmp/lab/news ) >/tmp/lab/output 2>&1 &\n\
             read -r _ </tmp/lab/started",
            dnsmasq_command(start.options, &interface, &jail)
        );
        guest.run_checked(&script)?;
        self.state.is_idle = false;
        Ok(())
    }

    /// Sets the guest's clock to the scenario's, and returns the state of dnsmasq.
    fn prepare_message(&mut self, clock: Clock) -> Result<DaemonState, QemuError> {
        self.clock = clock;
        let script = format!("date -u -s @{} >/dev/null; ", clock.wall);
        self.poll_state_after(&script, WaitFor::Nothing)?;
        self.state.is_idle = false;
        Ok(self.state.clone())
    }

    fn exchange4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        address: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, QemuError> {
        let before = self.prepare_message(clock)?;
        let server = dhcp4::Server { mac: MAC, address: self.address };
        let sent = Sent { xid: rand::RngExt::random(&mut self.rng), kind, address };
        let (endpoints, bytes) =
            dhcp4::encode(kind, client, address, sent.xid, server).map_err(QemuError::Message)?;
        let link = self.running_link()?;
        if !address.is_unspecified() {
            link.add_host(IpAddr::V4(address), dhcp4::frame_mac(client));
        }
        link.send(&endpoints, &bytes).map_err(|error| link_error(&error))?;
        let reply = self.wait_for_reply(&before, sent, client)?;
        if let Reply4::Ack { addr, .. } = reply {
            self.running_link()?.add_host(IpAddr::V4(addr), dhcp4::frame_mac(client));
        }
        if matches!(reply, Reply4::Ack { .. } | Reply4::BootReply(_)) {
            self.record_late_clock()?;
        }
        Ok(reply)
    }

    /// Waits until the guest reports that dnsmasq has handled the message, then for its reply if it has sent one.
    fn wait_for_reply(
        &mut self,
        before: &DaemonState,
        sent: Sent,
        client: &Client4,
    ) -> Result<Reply4, QemuError> {
        let deadline = Deadline::after(self.config.timeouts.command());
        loop {
            self.poll_state(WaitFor::EventOrIdle)?;
            if !self.state.is_idle && self.events.is_empty() && !deadline.has_passed() {
                continue;
            }
            match Progress::between(before, &self.state) {
                Progress::Ignored => return Ok(Reply4::Silent),
                Progress::Unknown => {
                    let silence =
                        if dhcp4::expects_reply(sent.kind) { SILENCE } else { Duration::ZERO };
                    let reply = self.receive_reply(sent, deadline.at_most(silence))?;
                    return Ok(reply.unwrap_or(Reply4::Silent));
                }
                Progress::Replied => {
                    return self.receive_reply(sent, deadline)?.ok_or_else(|| {
                        QemuError::Guest(format!(
                            "dnsmasq replied to a message of {}, but the reply did not arrive {}",
                            client.hw.text(),
                            deadline.describe()
                        ))
                    });
                }
                Progress::NotReceived if deadline.has_passed() => {
                    return Err(QemuError::Guest(format!(
                        "dnsmasq did not receive a message of {} {}",
                        client.hw.text(),
                        deadline.describe()
                    )));
                }
                Progress::NotReceived => {}
            }
        }
    }

    /// The reply to a message; `None` if it has not arrived by the deadline.
    fn receive_reply(&self, sent: Sent, deadline: Deadline) -> Result<Option<Reply4>, QemuError> {
        let link = self.running_link()?;
        while let Some(datagram) =
            link.receive(deadline.left()).map_err(|error| link_error(&error))?
        {
            if datagram.to == dhcp4::CLIENT_PORT
                && let Some(reply) =
                    dhcp4::parse_reply(&datagram.payload, sent.xid, sent.kind, sent.address)
            {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Records the guest's clock if its second has changed before dnsmasq replied.
    fn record_late_clock(&mut self) -> Result<(), QemuError> {
        let shown = self.running_guest()?.run_checked("date -u +%s")?;
        let shown = String::from_utf8_lossy(&shown).trim().parse().unwrap_or(self.clock.wall);
        self.late_clock = (shown != self.clock.wall).then_some(shown);
        Ok(())
    }

    /// dnsmasq's exit status and last output, once it has ended.
    fn exit_status(&mut self) -> Result<Option<DaemonExit>, QemuError> {
        let text = self.running_guest()?.run_checked(
            "cat /tmp/lab/ended 2>/dev/null && tail -n 3 /tmp/lab/output /tmp/lab/dnsmasq.log; :",
        )?;
        let text = String::from_utf8_lossy(&text);
        let Some((status, words)) = text.split_once('\n') else { return Ok(None) };
        let code: i32 = status.trim().parse().unwrap_or(-1);
        let status = if code > 128 { 128 - code } else { code };
        Ok(Some(DaemonExit { status, last_output: words.trim().to_owned() }))
    }

    /// Boots a guest and asks its dnsmasq for its release.
    fn ask_for_release(&mut self) -> Result<Release, QemuError> {
        let output = self.running_guest()?.run_checked("dnsmasq --version")?;
        let text = String::from_utf8_lossy(&output);
        let line = text.lines().next().unwrap_or_default();
        Release::of_program(line).ok_or_else(|| {
            QemuError::Guest(format!(
                "in the guest, `dnsmasq --version` printed {line:?}: name the release that it is closest to in the \
                 machine file, for example dnsmasq = \"{}\"",
                Release::NEWEST
            ))
        })
    }

    fn wait_for_end(&mut self) -> Result<DaemonExit, QemuError> {
        let deadline = Deadline::after(self.config.timeouts.command());
        loop {
            if let Some(ended) = self.exit_status()? {
                self.state.slices.clear();
                return Ok(ended);
            }
            if deadline.has_passed() {
                return Err(QemuError::Guest(format!(
                    "dnsmasq in the guest did not end {}",
                    deadline.describe()
                )));
            }
            self.poll_state(WaitFor::Event)?;
        }
    }
}

/// The scenario's command line of dnsmasq, with the guest's script hook and interface.
fn dnsmasq_command(options: &[String], interface: &str, jail: &str) -> String {
    const OWN: &[&str] = &[
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--user=root",
        "--no-ping",
        "--no-resolv",
        "--pid-file=",
        "--log-facility=/tmp/lab/dnsmasq.log",
    ];
    let mut words: Vec<String> = OWN.iter().map(|&word| word.to_owned()).collect();
    words.extend(options.iter().skip(1).map(|option| {
        if option.starts_with("--dhcp-script=") {
            "--dhcp-script=/lab/script-hook".to_owned()
        } else if option.starts_with("--interface=") {
            format!("--interface={interface}")
        } else {
            option.clone()
        }
    }));
    let words: Vec<String> = words.iter().map(|word| shell_quote(word.as_bytes())).collect();
    format!("{jail} {}", words.join(" "))
}

fn link_error(error: &std::io::Error) -> QemuError {
    QemuError::Environment(format!("the link to the guest: {error}"))
}

impl Daemon for Router<'_> {
    fn release(&mut self, _build: Build) -> Result<Option<Release>, BackendError> {
        if self.config.release.is_none() {
            self.config.release = Some(self.ask_for_release()?);
            self.cut_power()?;
        }
        Ok(self.config.release)
    }

    fn start(&mut self, start: &DaemonStart<'_>) -> Result<(), BackendError> {
        self.address = start.network.v4.first().map_or(Ipv4Addr::UNSPECIFIED, |(own, _)| *own);
        self.script_name = start.config.script_name().to_vec();
        Ok(self.start_dnsmasq(start)?)
    }

    fn next_call(
        &mut self,
        plan: &CallOptions,
    ) -> Result<Option<(ScriptCall, CallResult)>, BackendError> {
        Ok(self.call_of_dnsmasq(plan)?)
    }

    fn alarm(&self) -> Option<i64> {
        None
    }

    fn alarm_is_hidden(&self) -> bool {
        true
    }

    fn send_alarm(&mut self) -> Result<(), BackendError> {
        self.signal(SIGALRM)
    }

    fn lateness(&mut self) -> i64 {
        let shown = self.late_clock.take().unwrap_or(self.clock.wall);
        shown - self.clock.wall
    }

    fn set_clock(&mut self, clock: Clock) -> Result<(), BackendError> {
        self.clock = clock;
        if let Some(guest) = &mut self.guest {
            guest.run_checked(&format!("date -u -s @{} >/dev/null", clock.wall))?;
        }
        Ok(())
    }

    fn signal(&mut self, signal: i32) -> Result<(), BackendError> {
        self.state.is_idle = false;
        self.running_guest()?
            .run_checked(&format!(". /lab/daemon-pid; daemon_pid; kill -{signal} \"$main\""))?;
        Ok(())
    }

    fn has_exited(&self) -> bool {
        self.guest.is_none() || self.state.slices.is_empty()
    }

    fn wait(&mut self) -> Result<DaemonExit, BackendError> {
        Ok(self.wait_for_end()?)
    }

    fn message4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, BackendError> {
        Ok(self.exchange4(kind, client, addr, clock)?)
    }

    fn message6(
        &mut self,
        _kind: Kind6,
        _client: &Client6,
        _asked: &[Ia],
        _clock: Clock,
    ) -> Result<Reply6, BackendError> {
        Err(BackendError::Environment("clients of a guest do not support DHCPv6".to_owned()))
    }

    fn resolve(
        &mut self,
        _name: &[u8],
        _record: AddressRecord,
    ) -> Result<Option<Vec<IpAddr>>, BackendError> {
        Ok(None)
    }
}
