//! Drives the engine with the stimuli of a recording.

use std::net::IpAddr;

use super::check_result::Strictness;
use super::diff::{EngineCall, Mismatch};
use super::input;
use super::recorder_store::{RecorderStore, StoreMode};
use super::recording::{RecordedClock, Recording, Stimulus};
use super::stimulus_error::StimulusError;
use super::testbed;
use dnsmasq_model::{
    Clock, Engine, Ia, InitResult, InitStatus, Kind4, Message4, Release, Reply4, Reply6,
    ScriptCall, Server, ServerConfig,
};

/// The times computed from the stimuli, which must equal the recorded times.
#[derive(Debug, Clone, Copy)]
struct Time {
    t: f64,
    wall: f64,
    mono: f64,
}

pub(super) struct Driver<'a> {
    pub(super) recording: &'a Recording,
    release: Release,
    pub(super) strictness: Strictness,
    server: Server,
    pub(super) store: RecorderStore,
    time: Time,
    /// The output of `init` that a control file of the recorder sets, if any.
    init_out: Option<Vec<u8>>,
    init_rc: i32,
    pub(super) inits: usize,
    pub(super) answers: usize,
    pub(super) predicted: usize,
    pub(super) mispredicted: Vec<String>,
    /// The engine's calls for each stimulus so far.
    pub(super) made: Vec<Vec<EngineCall>>,
    pub(super) mismatches: Vec<Mismatch>,
    pub(super) unmodelled: Vec<String>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(recording: &'a Recording, strictness: Strictness) -> Driver<'a> {
        let meta = &recording.meta;
        Driver {
            recording,
            release: meta.release(),
            strictness,
            server: Server::new(Engine::new(meta.build, ServerConfig::default())),
            store: RecorderStore::new(meta.store_mode, meta.init_order),
            time: Time { t: 0.0, wall: meta.wall0, mono: meta.mono0 },
            init_out: None,
            init_rc: 0,
            inits: 0,
            answers: 0,
            predicted: 0,
            mispredicted: Vec::new(),
            made: Vec::new(),
            mismatches: Vec::new(),
            unmodelled: Vec::new(),
        }
    }

    pub(super) fn add_mismatch(
        &mut self,
        stimulus: Option<&Stimulus>,
        seq: Option<u64>,
        lines: Vec<String>,
    ) {
        self.mismatches.push(Mismatch {
            stimulus: stimulus.map(|s| s.i),
            action: stimulus.map_or_else(|| "recording".to_owned(), |s| s.kind.clone()),
            seq,
            lines,
        });
    }

    fn expect<T: PartialEq + std::fmt::Debug>(
        &mut self,
        stimulus: &Stimulus,
        what: &str,
        want: &T,
        got: &T,
    ) {
        if want != got {
            self.add_mismatch(
                Some(stimulus),
                None,
                vec![format!("- {what} {want:?}"), format!("+ {what} {got:?}")],
            );
        }
    }

    /// Compares the recorded times with those computed from the stimuli so far, and then advances the computed times.
    pub(super) fn check_clocks(&mut self, stimulus: &Stimulus) {
        if self.recording.meta.clock == RecordedClock::Virtual {
            let time = self.time;
            self.expect(stimulus, "i", &stimulus.i, &(self.made.len() as u64));
            self.expect(stimulus, "t", &stimulus.t, &time.t);
            self.expect(stimulus, "wall", &stimulus.wall, &time.wall);
            self.expect(stimulus, "mono", &stimulus.mono, &time.mono);
        }
        let (dt, delta) = (stimulus.dt.unwrap_or(0.0), stimulus.delta.unwrap_or(0.0));
        let time = &mut self.time;
        match &*stimulus.kind {
            "advance" => {
                *time = Time { t: time.t + dt, wall: time.wall + dt, mono: time.mono + dt }
            }
            "warp" => time.wall += delta,
            "reboot" => {
                let down = stimulus.down.unwrap_or(0.0);
                time.t += down;
                time.wall = stimulus.to_wall.unwrap_or(time.wall + down);
                time.mono = stimulus.to_mono.unwrap_or(testbed::MONO_AFTER_BOOT);
            }
            _ => {}
        }
    }

    /// Applies the calls to the recorder's store.
    fn store_calls(&mut self, calls: Vec<ScriptCall>, time: Time) -> Vec<EngineCall> {
        calls
            .into_iter()
            .map(|call| {
                let changed = (call.action() != b"init").then(|| self.store.apply(&call));
                EngineCall { call, t: time.t, wall: time.wall, mono: time.mono, changed }
            })
            .collect()
    }

    pub(super) fn apply(&mut self, stimulus: &Stimulus) -> Result<Vec<EngineCall>, StimulusError> {
        let time = Time { t: stimulus.t, wall: stimulus.wall, mono: stimulus.mono };
        let clock = Clock { wall: time.wall.floor() as i64, mono: time.mono.floor() as i64 };
        let answer = stimulus.res.as_ref();
        let was_running = self.server.engine().is_running();
        let mut calls: Vec<ScriptCall> = Vec::new();
        if let Some(kind) = input::kind4(stimulus) {
            let client = input::client4(stimulus)?;
            let mut reply = input::reply4(answer)?;
            self.answers += usize::from(reply != Reply4::Silent);
            let message =
                Message4 { kind, client: &client, addr: input::address4(stimulus.ip.as_ref())? };
            let decision = self.predict(stimulus, message, reply, clock);
            if stimulus.died.is_some() {
                // There was no reply, because dnsmasq ended while it created the lease for the reply.
                reply = decision;
            }
            self.server.engine_mut().dhcp4(message, reply, clock, &mut calls);
            self.check_alive(stimulus, was_running);
        } else if let Some(kind) = input::kind6(&stimulus.kind) {
            let client = input::client6(stimulus)?;
            let asked = input::associations(stimulus.ia.as_deref().unwrap_or_default())?;
            let mut reply = input::reply6(answer)?;
            if stimulus.died.is_some() {
                reply =
                    Reply6::Reply(asked.iter().map(|ia| Ia { valid: 1, ..ia.clone() }).collect());
            }
            self.answers += usize::from(answer.is_some_and(|a| a.kind.is_some()));
            self.server.engine_mut().dhcp6(kind, &client, &asked, &reply, clock, &mut calls);
            self.check_alive(stimulus, was_running);
        } else {
            match &*stimulus.kind {
                "start" => self.start(stimulus, clock, &mut calls)?,
                "stop" => self.server.engine_mut().stop(clock, &mut calls),
                "kill9" if stimulus.main_only.is_some() => {
                    self.server.engine_mut().kill_main_process(&mut calls);
                }
                "kill9" => self.server.engine_mut().kill(),
                "sighup" => self.server.engine_mut().sighup(clock, &mut calls),
                "advance" => return Ok(self.advance(stimulus, clock, time)),
                "file" => self.file(stimulus, clock, &mut calls)?,
                "neigh" => {
                    let addr = input::address4(stimulus.ip.as_ref())?.into();
                    if stimulus.op.as_deref() == Some("del") {
                        self.server.engine_mut().remove_neighbour(addr);
                    } else {
                        self.server.engine_mut().add_neighbour(addr, input::hardware(stimulus)?);
                    }
                }
                "tftp" => {
                    if let (Some(size), Some(file)) = (answer.and_then(|a| a.size), &stimulus.file)
                    {
                        self.server.engine_mut().tftp(
                            testbed::TFTP_CLIENT,
                            file.as_bytes(),
                            size,
                            clock,
                            &mut calls,
                        );
                    }
                }
                "link" => self.link(stimulus, clock, &mut calls)?,
                "warp" | "reboot" | "pause" | "settle" | "pipe_size" => {}
                other => return Err(StimulusError::Unknown(other.to_owned())),
            }
        }
        if stimulus.nosettle.is_none() {
            self.server.engine_mut().end_calls(clock, &mut calls);
        }
        Ok(self.store_calls(calls, time))
    }

    /// Compares the recorded reply with the decision of [`Server`], and returns the decision. A difference is reported
    /// without failing the check.
    fn predict(
        &mut self,
        stimulus: &Stimulus,
        message: Message4<'_>,
        reply: Reply4,
        clock: Clock,
    ) -> Reply4 {
        let mut own = self.server.decide(message.kind, message.client, message.addr, clock);
        if let (Kind4::Inform, Reply4::Ack { .. }, Reply4::Ack { .. }) = (message.kind, own, reply)
        {
            own = reply;
        }
        if message.kind == Kind4::Decline {
            self.server.record_decline(message.client, message.addr, clock);
        }
        if own == reply || stimulus.died.is_some() {
            self.predicted += 1;
        } else {
            self.mispredicted.push(format!(
                "stimulus {} ({}): {reply:?}, server says {own:?}",
                stimulus.i, stimulus.kind
            ));
        }
        own
    }

    /// Checks that the stimulus ended dnsmasq if and only if it did so in the recording.
    fn check_alive(&mut self, stimulus: &Stimulus, was_running: bool) {
        let is_running = self.server.engine().is_running();
        // The only cause that is modelled is SIGSEGV, from an access to a lease that could not be allocated.
        let got = (was_running && !is_running).then_some(-11);
        self.expect(stimulus, "died", &stimulus.died, &got);
        if stimulus.died.is_some() {
            self.server.engine_mut().kill();
        }
    }

    fn advance(&mut self, stimulus: &Stimulus, clock: Clock, time: Time) -> Vec<EngineCall> {
        let dt = stimulus.dt.unwrap_or(0.0);
        let end = clock.after(dt.floor() as i64);
        let mut made = Vec::new();
        let mut fired = Vec::new();
        while let Some(at) = self.server.engine().next_alarm().filter(|at| *at <= end.mono) {
            let passed = at.saturating_sub(clock.mono);
            let mut calls: Vec<ScriptCall> = Vec::new();
            if !self.server.engine().is_busy() {
                fired.push(at as f64);
            }
            self.server.engine_mut().sigalrm(clock.after(passed), &mut calls);
            let passed = passed as f64;
            let then =
                Time { t: time.t + passed, wall: time.wall + passed, mono: time.mono + passed };
            made.extend(self.store_calls(calls, then));
        }
        if self.recording.meta.clock == RecordedClock::Virtual {
            let recorded = stimulus.res.as_ref().and_then(|a| a.alarms.clone()).unwrap_or_default();
            self.expect(stimulus, "alarms", &recorded, &fired);
        }
        made
    }

    fn start(
        &mut self,
        stimulus: &Stimulus,
        clock: Clock,
        calls: &mut Vec<ScriptCall>,
    ) -> Result<(), StimulusError> {
        let argv = stimulus.argv.as_ref().unwrap_or(&self.recording.meta.cmdline);
        let mut config = ServerConfig::parse(argv)?;
        config.release = self.release;
        if config.script == testbed::RECORDER.0.as_bytes() {
            config.script = testbed::RECORDER.1.to_vec();
        }
        self.unmodelled.extend(config.unmodelled.iter().cloned());
        if self.made.iter().all(Vec::is_empty) && !self.server.engine().is_running() {
            let network = testbed::network(!config.ranges6.is_empty());
            self.server.engine_mut().set_network(network);
        }
        self.server.engine_mut().set_config(config);
        let mut init = InitResult::ok("");
        if let Some(call) = self.server.engine().init_call() {
            calls.push(call);
            let mut inits = self
                .recording
                .calls
                .iter()
                .filter(|c| c.argv.get(1).is_some_and(|a| a.0 == b"init"));
            let recorded = inits.nth(self.inits);
            self.inits += 1;
            if let Some(recorded) = recorded {
                let rc = recorded.rc.unwrap_or(0);
                init.stdout = recorded.out.clone().unwrap_or_default().0;
                // The shell between dnsmasq and the script turns a signal into 128 + n.
                init.status = InitStatus::Code(if rc < 0 { (128 - rc) as u8 } else { rc as u8 });
                let (want_out, want_rc) = (recorded.out.clone(), recorded.rc);
                let got = self.init_out.clone().unwrap_or_else(|| self.store.print());
                if self.strictness != Strictness::ReportOnly {
                    let mode = self.recording.meta.store_mode;
                    let want_out = want_out.map(|text| init_text(&text.0, mode));
                    self.expect(stimulus, "init printed", &want_out, &Some(init_text(&got, mode)));
                    let expected_rc = Some(self.init_rc);
                    self.expect(stimulus, "init returned", &want_rc, &expected_rc);
                }
            }
        }
        self.server.forget_declined();
        let failure = self.server.engine_mut().start(clock, &init, calls).err();
        let got = failure.map(|f| f.status());
        let want = stimulus.res.as_ref().and_then(|a| a.rc);
        self.expect(stimulus, "exit status", &want, &got);
        Ok(())
    }

    /// Adds an address to the server's interface, or removes one.
    fn link(
        &mut self,
        stimulus: &Stimulus,
        clock: Clock,
        calls: &mut Vec<ScriptCall>,
    ) -> Result<(), StimulusError> {
        let text = stimulus.required("addr", stimulus.addr.as_deref())?;
        let invalid = || StimulusError::InterfaceAddress(text.to_owned());
        let (addr, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let (addr, prefix): (IpAddr, u8) =
            (addr.parse().map_err(|_| invalid())?, prefix.parse().map_err(|_| invalid())?);
        if prefix > if addr.is_ipv4() { 32 } else { 128 } {
            return Err(invalid());
        }
        let engine = self.server.engine_mut();
        match stimulus.required("op", stimulus.op.as_deref())? {
            "add" => engine.add_address(addr, prefix, clock, calls),
            "del" => engine.remove_address(addr, clock, calls),
            other => return Err(StimulusError::Operation(other.to_owned())),
        }
        Ok(())
    }

    fn file(
        &mut self,
        stimulus: &Stimulus,
        clock: Clock,
        calls: &mut Vec<ScriptCall>,
    ) -> Result<(), StimulusError> {
        let path = stimulus.required("path", stimulus.path.as_deref())?;
        let text = stimulus.text.as_ref().map(|t| t.0.clone());
        match path {
            // The recorder reads this file in text mode, which converts every kind of line ending to a newline.
            "init.out" => self.init_out = text.map(|text| testbed::newlines(&text)),
            "init.rc" => {
                let code = text.as_deref().map(String::from_utf8_lossy);
                self.init_rc = match code {
                    None => 0,
                    Some(code) => code
                        .trim()
                        .parse()
                        .map_err(|_| StimulusError::ExitCode(code.into_owned()))?,
                };
            }
            "store" => self.store.replace(&text.unwrap_or_default()),
            // The time that the recorder sleeps. The recorded clock stands still during the sleep.
            "sleep" => self.server.engine_mut().set_call_time(i64::from(text.is_some())),
            // The exit code of the recorder for calls other than `init`, which dnsmasq only logs.
            "rc" => {}
            path => self.server.engine_mut().set_file(
                &format!("{}/{path}", testbed::FOLDER),
                text,
                clock,
                calls,
            ),
        }
        Ok(())
    }
}

/// Returns the output of `init` in a form that can be compared. dnsmasq does not determine the position of the `duid`
/// line in the DHCPv6-aware store, so the lines of that store are sorted.
fn init_text(bytes: &[u8], mode: StoreMode) -> String {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
    if mode == StoreMode::V6Aware {
        lines.sort_unstable();
    }
    lines.concat().escape_ascii().to_string()
}
