//! dnsmasq in a guest.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use super::super::error::QemuError;
use super::super::lab::MAC;
use super::super::payload::quoted;
use super::calls::Want;
use super::{Router, State};
use backend::{BackendError, CallOptions, CallResult, Daemon, DaemonExit, DaemonStart};
use dnsmasq_model::{Client4, Client6, Clock, Ia, Kind4, Kind6, Reply4, Reply6, ScriptCall};
use packets::dhcp4;

const SIGALRM: i32 = 14;

/// How long a cable is listened to before the guest is asked whether anything will come.
const LISTEN: Duration = Duration::from_millis(150);

impl Router<'_> {
    fn start_dnsmasq(&mut self, start: &DaemonStart<'_>) -> Result<(), QemuError> {
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
            "( {} & echo $! >/tmp/lab/pid; wait $!; echo $? >/tmp/lab/ended ) >/tmp/lab/words 2>&1 &\n\
             until [ -s /tmp/lab/pid ]; do usleep 10000; done",
            words.join(" ")
        );
        guest.must(&script)?;
        self.state.resting = false;
        Ok(())
    }

    /// Sets the guest's clock to the scenario's, and looks what dnsmasq has done so far.
    fn before_message(&mut self, clock: Clock) -> Result<State, QemuError> {
        self.clock = clock;
        self.look_after(&format!("date -u -s @{} >/dev/null; ", clock.wall), Want::Now)?;
        self.state.resting = false;
        Ok(self.state.clone())
    }

    fn exchange4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, QemuError> {
        let before = self.before_message(clock)?;
        let server = dhcp4::Server { mac: MAC, address: self.address };
        let xid = rand::RngExt::random(&mut self.dice);
        let (envelope, bytes) =
            dhcp4::packet(kind, client, addr, xid, server).map_err(QemuError::Input)?;
        let cable = self.cable.as_ref().ok_or_else(off)?;
        if !addr.is_unspecified() {
            cable.own(IpAddr::V4(addr), dhcp4::frame_mac(client));
        }
        cable.send(&envelope, &bytes).map_err(|error| broken(&error))?;
        let until = Instant::now() + self.lab.patience.command();
        // Where the kernel does not count datagrams, an answer may still come a while after dnsmasq has slept.
        let mut quiet = if dhcp4::is_answered(kind) { 3 } else { 1 };
        loop {
            if let Some(reply) = self.listen(xid, kind, addr)? {
                if let Reply4::Ack { addr, .. } = reply {
                    let cable = self.cable.as_ref().ok_or_else(off)?;
                    cable.own(IpAddr::V4(addr), dhcp4::frame_mac(client));
                }
                if matches!(reply, Reply4::Ack { .. } | Reply4::BootReply(_)) {
                    self.note_time()?;
                }
                return Ok(reply);
            }
            self.look(Want::Rest)?;
            let over = self.state.resting || !self.events.is_empty();
            match over.then(|| answer_to_come(&before, &self.state)) {
                // dnsmasq has taken the message, sleeps again, and has sent nothing: nothing will come.
                Some(Answer::Never) => return Ok(Reply4::Silent),
                Some(Answer::Maybe) => {
                    quiet -= 1;
                    if quiet == 0 {
                        return Ok(self.listen(xid, kind, addr)?.unwrap_or(Reply4::Silent));
                    }
                }
                Some(Answer::Sent | Answer::NotTaken) | None => {}
            }
            if Instant::now() > until {
                let what = match answer_to_come(&before, &self.state) {
                    Answer::Sent => "answered, and the answer did not come through the cable for",
                    _ => "did not take",
                };
                return Err(QemuError::Guest(format!(
                    "dnsmasq {what} a message of {} in {} s",
                    client.hw.text(),
                    self.lab.patience.command().as_secs()
                )));
            }
        }
    }

    /// Listens to the cable for a while.
    fn listen(&self, xid: u32, kind: Kind4, asked: Ipv4Addr) -> Result<Option<Reply4>, QemuError> {
        let cable = self.cable.as_ref().ok_or_else(off)?;
        let until = Instant::now() + LISTEN;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match cable.receive(left).map_err(|error| broken(&error))? {
                Some(datagram) if datagram.to == dhcp4::CLIENT => {
                    if let Some(reply) = dhcp4::answer(&datagram.payload, xid, kind, asked) {
                        return Ok(Some(reply));
                    }
                }
                Some(_) => {}
                None => return Ok(None),
            }
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

/// What is known of the answer to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// The message was not taken yet.
    NotTaken,
    /// It was taken, and something was sent since.
    Sent,
    /// It was taken, and nothing was sent.
    Never,
    /// It was taken, and the kernel does not tell whether something was sent.
    Maybe,
}

/// What two looks at dnsmasq, before a message and after it, tell of its answer.
fn answer_to_come(before: &State, after: &State) -> Answer {
    match (before.datagrams, after.datagrams) {
        (Some((taken, _)), Some((now, _))) if now == taken => Answer::NotTaken,
        (Some((_, sent)), Some((_, now))) if now == sent => Answer::Never,
        (Some(_), Some(_)) => Answer::Sent,
        _ if before.slices == after.slices => Answer::NotTaken,
        _ => Answer::Maybe,
    }
}

fn broken(error: &std::io::Error) -> QemuError {
    QemuError::Environment(format!("the cable to the guest: {error}"))
}

impl Daemon for Router<'_> {
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
        let shown = self.late.take().unwrap_or(self.clock.wall);
        shown - self.clock.wall
    }

    fn set_clock(&mut self, clock: Clock) -> Result<(), BackendError> {
        self.clock = clock;
        if let Some(guest) = &mut self.guest {
            guest.must(&format!("date -u -s @{} >/dev/null", clock.wall))?;
        }
        Ok(())
    }

    fn signal(&mut self, signal: i32) -> Result<(), BackendError> {
        self.state.resting = false;
        self.power_on()?.must(&format!("kill -{signal} $(cat /tmp/lab/pid)"))?;
        Ok(())
    }

    fn has_exited(&self) -> bool {
        self.guest.is_none() || self.state.slices.is_empty()
    }

    fn wait(&mut self) -> Result<DaemonExit, BackendError> {
        let until = Instant::now() + self.lab.patience.command();
        loop {
            let text = self.power_on()?.must(
                "i=0; until [ -s /tmp/lab/ended ] || [ $i -ge 20 ]; do usleep 50000; i=$((i + 1)); done\n\
                 cat /tmp/lab/ended 2>/dev/null && tail -n 3 /tmp/lab/words /tmp/lab/dnsmasq.log; :",
            )?;
            let text = String::from_utf8_lossy(&text).into_owned();
            if let Some((status, words)) = text.split_once('\n') {
                let code: i32 = status.trim().parse().unwrap_or(-1);
                let status = if code > 128 { 128 - code } else { code };
                self.state.slices.clear();
                return Ok(DaemonExit { status, last_output: words.trim().to_owned() });
            }
            if Instant::now() > until {
                return Err(BackendError::Broken("dnsmasq in the guest does not end".to_owned()));
            }
        }
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
        Err(BackendError::Environment("clients in front of a guest speak no DHCPv6".to_owned()))
    }

    fn resolve(&mut self, _name: &[u8], _v6: bool) -> Result<Option<Vec<IpAddr>>, BackendError> {
        Ok(None)
    }
}
