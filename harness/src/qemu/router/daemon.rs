//! dnsmasq in a guest.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::error::QemuError;
use super::super::lab::MAC;
use super::super::payload::quoted;
use super::Router;
use crate::dnsmasq::{Client4, Client6, Clock, Ia, Kind4, Kind6, Reply4, Reply6, ScriptCall};
use crate::live::dhcp4;
use crate::target::{CallResult, Daemon, Ended, Plan, Start, TargetError};

const SIGALRM: i32 = 14;

/// How long a cable is listened to before the guest is asked whether anything will come.
const LISTEN: Duration = Duration::from_millis(300);

impl Router<'_> {
    fn start_dnsmasq(&mut self, start: &Start<'_>) -> Result<(), QemuError> {
        self.clock = start.clock;
        let wall = start.clock.wall;
        let interface = self.lab.interface.clone();
        let guest = self.power_on()?;
        let mut script = format!("date -u -s @{wall} >/dev/null\n");
        for (address, prefix) in &start.network.v4 {
            _ = writeln!(script, "ip addr add {address}/{prefix} dev {interface} 2>/dev/null");
        }
        _ = writeln!(script, "ip link set {interface} up\nrm -f /tmp/lab/ended /tmp/lab/pid");
        script += "echo >/tmp/lab/go\n";
        let mut words = vec![
            "dnsmasq".to_owned(),
            "--keep-in-foreground".to_owned(),
            "--conf-file=/dev/null".to_owned(),
            "--user=root".to_owned(),
            "--no-ping".to_owned(),
            "--no-resolv".to_owned(),
            "--pid-file=".to_owned(),
            "--log-facility=/tmp/lab/dnsmasq.log".to_owned(),
        ];
        for option in start.options.iter().skip(1) {
            let option = if option.starts_with("--dhcp-script=") {
                "--dhcp-script=/lab/hook".to_owned()
            } else if option.starts_with("--interface=") {
                format!("--interface={interface}")
            } else {
                option.clone()
            };
            words.push(option);
        }
        let words: Vec<String> = words.iter().map(|word| quoted(word.as_bytes())).collect();
        _ = writeln!(
            script,
            "( {} & echo $! >/tmp/lab/pid; wait $!; echo $? >/tmp/lab/ended ) >/tmp/lab/words 2>&1 &",
            words.join(" ")
        );
        guest.must(&script)?;
        self.resting = false;
        Ok(())
    }

    /// Sets the guest's clock to the scenario's, and tells how often dnsmasq has slept so far.
    fn before_message(&mut self, clock: Clock) -> Result<Vec<String>, QemuError> {
        self.clock = clock;
        self.look_and(&format!("date -u -s @{} >/dev/null", clock.wall))?;
        self.resting = false;
        Ok(self.slept.clone())
    }

    fn exchange4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, QemuError> {
        let slept = self.before_message(clock)?;
        let server = dhcp4::Server { mac: MAC, address: self.address };
        let xid = rand::RngExt::random(&mut self.dice);
        let (envelope, bytes) =
            dhcp4::packet(kind, client, addr, xid, server).map_err(QemuError::Input)?;
        let wire = self.wire.as_mut().ok_or_else(off)?;
        if !addr.is_unspecified() {
            wire.own(IpAddr::V4(addr), dhcp4::frame_mac(client));
        }
        wire.receive().map_err(|error| cable(&error))?;
        wire.send(&envelope, &bytes).map_err(|error| cable(&error))?;
        let until = Instant::now() + self.lab.patience.command();
        // An answer may have to wait until the router knows the client's hardware address.
        let mut quiet = if dhcp4::is_answered(kind) { 3 } else { 1 };
        loop {
            if let Some(reply) = self.listen(xid, kind, addr)? {
                if let Reply4::Ack { addr, .. } = reply {
                    let wire = self.wire.as_mut().ok_or_else(off)?;
                    wire.own(IpAddr::V4(addr), dhcp4::frame_mac(client));
                }
                if matches!(reply, Reply4::Ack { .. } | Reply4::BootReply(_)) {
                    self.note_time()?;
                }
                return Ok(reply);
            }
            // No answer: once dnsmasq has woken for the message and sleeps again, there will be none.
            self.look()?;
            if self.slept != slept && (self.resting || !self.events.is_empty()) {
                quiet -= 1;
                if quiet == 0 {
                    return Ok(self.listen(xid, kind, addr)?.unwrap_or(Reply4::Silent));
                }
            }
            if Instant::now() > until {
                return Err(QemuError::Guest(format!(
                    "dnsmasq did not take a message of {} in {} s",
                    client.hw.text(),
                    self.lab.patience.command().as_secs()
                )));
            }
        }
    }

    /// Listens to the cable for a while.
    fn listen(
        &mut self,
        xid: u32,
        kind: Kind4,
        asked: Ipv4Addr,
    ) -> Result<Option<Reply4>, QemuError> {
        let wire = self.wire.as_ref().ok_or_else(off)?;
        let until = Instant::now() + LISTEN;
        loop {
            for datagram in wire.receive().map_err(|error| cable(&error))? {
                if datagram.to == dhcp4::CLIENT
                    && let Some(reply) = dhcp4::answer(&datagram.payload, xid, kind, asked)
                {
                    return Ok(Some(reply));
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
            let mut fds = [PollFd::new(wire, PollFlags::IN)];
            poll(&mut fds, Some(&timeout)).map_err(|error| cable(&error.into()))?;
        }
    }

    /// Whether the second was another when dnsmasq answered.
    fn note_time(&mut self) -> Result<(), QemuError> {
        let shown = self.power_on()?.must("date -u +%s")?;
        let shown = String::from_utf8_lossy(&shown).trim().parse().unwrap_or(self.clock.wall);
        self.late = (shown != self.clock.wall).then_some(shown);
        Ok(())
    }
}

fn off() -> QemuError {
    QemuError::Guest("the router is off".to_owned())
}

fn cable(error: &std::io::Error) -> QemuError {
    QemuError::Environment(format!("the cable to the guest: {error}"))
}

impl Daemon for Router<'_> {
    fn start(&mut self, start: &Start<'_>) -> Result<(), TargetError> {
        self.address = start.network.v4.first().map_or(Ipv4Addr::UNSPECIFIED, |(own, _)| *own);
        self.script_name = start.config.script_name().to_vec();
        Ok(self.start_dnsmasq(start)?)
    }

    fn next_call(&mut self, plan: &Plan) -> Result<Option<(ScriptCall, CallResult)>, TargetError> {
        Ok(self.call_of_dnsmasq(plan)?)
    }

    fn alarm(&self) -> Option<i64> {
        None
    }

    fn hides_alarm(&self) -> bool {
        true
    }

    fn wake(&mut self) -> Result<(), TargetError> {
        self.signal(SIGALRM)
    }

    fn lateness(&mut self) -> i64 {
        let shown = self.late.take().unwrap_or(self.clock.wall);
        shown - self.clock.wall
    }

    fn set_clock(&mut self, clock: Clock) -> Result<(), TargetError> {
        self.clock = clock;
        if let Some(guest) = &mut self.guest {
            guest.must(&format!("date -u -s @{} >/dev/null", clock.wall))?;
        }
        Ok(())
    }

    fn signal(&mut self, signal: i32) -> Result<(), TargetError> {
        self.resting = false;
        self.power_on()?.must(&format!("kill -{signal} $(cat /tmp/lab/pid)"))?;
        Ok(())
    }

    fn is_gone(&self) -> bool {
        self.guest.is_none() || self.slept.is_empty()
    }

    fn end(&mut self) -> Result<Ended, TargetError> {
        let until = Instant::now() + self.lab.patience.command();
        loop {
            let text = self.power_on()?.must(
                "cat /tmp/lab/ended 2>/dev/null && tail -n 3 /tmp/lab/words /tmp/lab/dnsmasq.log; :",
            )?;
            let text = String::from_utf8_lossy(&text).into_owned();
            if let Some((status, words)) = text.split_once('\n') {
                let code: i32 = status.trim().parse().unwrap_or(-1);
                let status = if code > 128 { 128 - code } else { code };
                self.slept.clear();
                return Ok(Ended { status, words: words.trim().to_owned() });
            }
            if Instant::now() > until {
                return Err(TargetError::Broken("dnsmasq in the guest does not end".to_owned()));
            }
        }
    }

    fn message4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, TargetError> {
        Ok(self.exchange4(kind, client, addr, clock)?)
    }

    fn message6(
        &mut self,
        _kind: Kind6,
        _client: &Client6,
        _asked: &[Ia],
        _clock: Clock,
    ) -> Result<Reply6, TargetError> {
        Err(TargetError::Environment("clients in front of a guest speak no DHCPv6".to_owned()))
    }

    fn resolve(&mut self, _name: &[u8], _v6: bool) -> Result<Option<Vec<IpAddr>>, TargetError> {
        Ok(None)
    }
}
