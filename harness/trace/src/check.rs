//! Drives the engine with a recording's stimuli and compares its calls with the recorded ones.

use std::collections::BTreeMap;

use super::diff::{Made, Mismatch, compare, missing, recorded, surplus};
use super::input;
use super::read::{Call, Recording, Stimulus, TraceError};
use super::store::Store;
use super::testbed;
use dnsmasq_model::{
    Build, Clock, Engine, InitResult, InitStatus, Kind4, Message4, Reply4, ScriptCall, Server,
    ServerConfig,
};

/// Fields of a recording that go into the engine, each with the reason. Everything else is compared.
pub const CARRIED: &[(&str, &str)] = &[
    (
        "calls.jsonl: out of an init call",
        "what the script printed is the database that dnsmasq reads",
    ),
    ("calls.jsonl: rc of an init call", "what the script returned decides whether dnsmasq starts"),
    (
        "stimuli.jsonl: res of DHCP messages",
        "the engine takes the server's decision: address, lease time, refusal or silence; IA_TA addresses are random",
    ),
];

/// How much of a recording must be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Every call, in order.
    Exact,
    /// As exact, but runs of consecutive `arp-*` calls are compared as sets: the kernel's order is not known.
    ArpSets,
    /// Differences are reported and fail nothing: the recording depends on timing.
    ReportOnly,
}

/// What came of one recording.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The folder's name.
    pub label: String,
    /// Why two recordings of this may differ.
    pub racy: Option<String>,
    /// What was demanded.
    pub strictness: Strictness,
    /// Number of recorded calls compared.
    pub calls: usize,
    /// Number of `init` outputs that were taken from the recording.
    pub inits: usize,
    /// Number of DHCP answers that were taken from the recording.
    pub answers: usize,
    /// Number of DHCPv4 answers that [`Server`] decides as recorded.
    pub foreseen: usize,
    /// Those that it decides otherwise.
    pub surprises: Vec<String>,
    /// The differences.
    pub mismatches: Vec<Mismatch>,
    /// Options that the engine knows nothing of.
    pub unmodelled: Vec<String>,
}

impl Outcome {
    /// Whether the recording is not met although it must be.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.strictness != Strictness::ReportOnly && !self.mismatches.is_empty()
    }
}

/// Checks one recording.
///
/// # Errors
/// A stimulus that cannot be turned into an input.
pub fn check(recording: &Recording) -> Result<Outcome, TraceError> {
    let strictness = match recording.meta.racy.as_deref() {
        None => Strictness::Exact,
        Some(why) if why.contains("arp") => Strictness::ArpSets,
        Some(_) => Strictness::ReportOnly,
    };
    let mut driver = Driver::new(recording, strictness);
    for (line, stimulus) in recording.stimuli.iter().enumerate() {
        let error = |message: String| TraceError::Value {
            path: recording.folder.join("stimuli.jsonl"),
            line: line + 1,
            message,
        };
        driver.clocks(stimulus);
        let made = driver.apply(stimulus).map_err(error)?;
        driver.made.push(made);
    }
    Ok(driver.judge())
}

/// The driver's own idea of time, to be met by the recorded one.
#[derive(Debug, Clone, Copy)]
struct Time {
    t: f64,
    wall: f64,
    mono: f64,
}

struct Driver<'a> {
    recording: &'a Recording,
    strictness: Strictness,
    server: Server,
    store: Store,
    time: Time,
    /// Control files of the recorder.
    init_out: Option<Vec<u8>>,
    init_rc: i32,
    inits: usize,
    answers: usize,
    foreseen: usize,
    surprises: Vec<String>,
    /// Per stimulus.
    made: Vec<Vec<Made>>,
    mismatches: Vec<Mismatch>,
    unmodelled: Vec<String>,
}

impl<'a> Driver<'a> {
    fn new(recording: &'a Recording, strictness: Strictness) -> Driver<'a> {
        let meta = &recording.meta;
        let build = if meta.build == "no-rtc" { Build::NoRtc } else { Build::Rtc };
        Driver {
            recording,
            strictness,
            server: Server::new(Engine::new(build, ServerConfig::default())),
            store: Store::new(&meta.store_mode, &meta.init_order),
            time: Time { t: 0.0, wall: meta.wall0, mono: meta.mono0 },
            init_out: None,
            init_rc: 0,
            inits: 0,
            answers: 0,
            foreseen: 0,
            surprises: Vec::new(),
            made: Vec::new(),
            mismatches: Vec::new(),
            unmodelled: Vec::new(),
        }
    }

    fn differ(&mut self, stimulus: Option<&Stimulus>, seq: Option<u64>, lines: Vec<String>) {
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
            self.differ(
                Some(stimulus),
                None,
                vec![format!("- {what} {want:?}"), format!("+ {what} {got:?}")],
            );
        }
    }

    /// Holds the recorded clocks against what the stimuli before made of them.
    fn clocks(&mut self, stimulus: &Stimulus) {
        if self.recording.meta.clock == "virtual" {
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

    fn made(&mut self, calls: Vec<ScriptCall>, time: Time) -> Vec<Made> {
        calls
            .into_iter()
            .map(|call| {
                let changed = (call.action() != b"init").then(|| self.store.apply(&call));
                Made { call, t: time.t, wall: time.wall, mono: time.mono, changed }
            })
            .collect()
    }

    fn apply(&mut self, stimulus: &Stimulus) -> Result<Vec<Made>, String> {
        let time = Time { t: stimulus.t, wall: stimulus.wall, mono: stimulus.mono };
        let clock = Clock { wall: time.wall.floor() as i64, mono: time.mono.floor() as i64 };
        let answer = stimulus.res.as_ref();
        let mut calls: Vec<ScriptCall> = Vec::new();
        if let Some(kind) = input::kind4(stimulus) {
            let client = input::client4(stimulus)?;
            let reply = input::reply4(answer)?;
            self.answers += usize::from(reply != Reply4::Silent);
            let message =
                Message4 { kind, client: &client, addr: input::address4(stimulus.ip.as_ref())? };
            self.foresee(stimulus, message, reply, clock);
            self.server.engine_mut().dhcp4(message, reply, clock, &mut calls);
        } else if let Some(kind) = input::kind6(&stimulus.kind) {
            let client = input::client6(stimulus)?;
            let asked = input::associations(stimulus.ia.as_deref().unwrap_or_default())?;
            let reply = input::reply6(answer)?;
            self.answers += usize::from(answer.is_some_and(|a| a.kind.is_some()));
            self.server.engine_mut().dhcp6(kind, &client, &asked, &reply, clock, &mut calls);
        } else {
            match &*stimulus.kind {
                "start" => self.start(stimulus, clock, &mut calls)?,
                "stop" => self.server.engine_mut().stop(),
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
                "warp" | "reboot" | "pause" | "settle" | "pipe_size" => {}
                other => return Err(format!("`{other}` is no stimulus that the engine knows")),
            }
        }
        Ok(self.made(calls, time))
    }

    /// Whether [`Server`] would have decided the same: told in the report, nothing depends on it.
    fn foresee(&mut self, stimulus: &Stimulus, message: Message4<'_>, reply: Reply4, clock: Clock) {
        let mut own = self.server.decide(message.kind, message.client, message.addr, clock);
        if let (Kind4::Inform, Reply4::Ack { .. }, Reply4::Ack { .. }) = (message.kind, own, reply)
        {
            own = reply;
        }
        if message.kind == Kind4::Decline {
            self.server.note_decline(message.client, message.addr, clock);
        }
        if own == reply {
            self.foreseen += 1;
        } else {
            self.surprises.push(format!(
                "stimulus {} ({}): {reply:?}, server says {own:?}",
                stimulus.i, stimulus.kind
            ));
        }
    }

    fn advance(&mut self, stimulus: &Stimulus, clock: Clock, time: Time) -> Vec<Made> {
        let dt = stimulus.dt.unwrap_or(0.0);
        let end = clock.after(dt.floor() as i64);
        let mut made = Vec::new();
        let mut fired = Vec::new();
        while let Some(at) = self.server.engine().next_alarm().filter(|at| *at <= end.mono) {
            let passed = at.saturating_sub(clock.mono);
            let mut calls: Vec<ScriptCall> = Vec::new();
            self.server.engine_mut().sigalrm(clock.after(passed), &mut calls);
            fired.push(at as f64);
            let passed = passed as f64;
            let then =
                Time { t: time.t + passed, wall: time.wall + passed, mono: time.mono + passed };
            made.extend(self.made(calls, then));
        }
        if self.recording.meta.clock == "virtual" {
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
    ) -> Result<(), String> {
        let argv = stimulus.argv.as_ref().unwrap_or(&self.recording.meta.cmdline);
        let mut config = ServerConfig::parse(argv).map_err(|error| error.to_string())?;
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
                    let v6_aware = self.recording.meta.store_mode == "v6aware";
                    let want_out = want_out.map(|text| init_text(&text.0, v6_aware));
                    self.expect(
                        stimulus,
                        "init printed",
                        &want_out,
                        &Some(init_text(&got, v6_aware)),
                    );
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

    fn file(
        &mut self,
        stimulus: &Stimulus,
        clock: Clock,
        calls: &mut Vec<ScriptCall>,
    ) -> Result<(), String> {
        let path = stimulus.path.as_deref().ok_or("a file needs `path`")?;
        let text = stimulus.text.as_ref().map(|t| t.0.clone());
        match path {
            // The recorder reads this file as text, which makes every kind of line end a newline.
            "init.out" => self.init_out = text.map(|text| testbed::newlines(&text)),
            "init.rc" => {
                let code = text.as_deref().map(String::from_utf8_lossy);
                self.init_rc = match code {
                    None => 0,
                    Some(code) => {
                        code.trim().parse().map_err(|_| format!("`{code}` is no exit code"))?
                    }
                };
            }
            "store" => self.store.replace(&text.unwrap_or_default()),
            // How long the recorder sleeps and what it returns: dnsmasq only logs that.
            "sleep" | "rc" => {}
            path => self.server.engine_mut().set_file(
                &format!("{}/{path}", testbed::FOLDER),
                text,
                clock,
                calls,
            ),
        }
        Ok(())
    }

    fn judge(mut self) -> Outcome {
        let recording = self.recording;
        if self.strictness == Strictness::ReportOnly {
            self.compare_all();
        } else {
            self.inventory();
            let mut next = 0;
            for (at, stimulus) in recording.stimuli.iter().enumerate() {
                let (from, to) = stimulus.calls.unwrap_or((next, next));
                if from != next || to < from || to > recording.calls.len() as u64 {
                    let lines =
                        vec![format!("- calls {from} to {to}"), format!("+ calls from {next} on")];
                    self.differ(Some(stimulus), None, lines);
                    continue;
                }
                next = to;
                let want = &recording.calls[from as usize..to as usize];
                let got = std::mem::take(&mut self.made[at]);
                self.compare_stimulus(stimulus, want, got);
            }
            if next != recording.calls.len() as u64 {
                let lines = vec![
                    format!("- {} calls", recording.calls.len()),
                    format!("+ {next} claimed by stimuli"),
                ];
                self.differ(None, None, lines);
            }
        }
        let mut unmodelled = self.unmodelled;
        unmodelled.sort();
        unmodelled.dedup();
        Outcome {
            label: recording.label(),
            racy: recording.meta.racy.clone(),
            strictness: self.strictness,
            calls: recording.calls.len(),
            inits: self.inits,
            answers: self.answers,
            foreseen: self.foreseen,
            surprises: self.surprises,
            mismatches: self.mismatches,
            unmodelled,
        }
    }

    /// Sequence numbers, and the counts and the store that meta.json tells.
    fn inventory(&mut self) {
        let recording = self.recording;
        let meta = &recording.meta;
        for (at, call) in recording.calls.iter().enumerate() {
            if call.seq != at as u64 {
                self.differ(
                    None,
                    Some(call.seq),
                    vec![format!("- seq {}", call.seq), format!("+ seq {at}")],
                );
            }
        }
        let mut by_action = BTreeMap::new();
        for made in self.made.iter().flatten() {
            *by_action
                .entry(String::from_utf8_lossy(made.call.action()).into_owned())
                .or_insert(0u64) += 1;
        }
        let made: u64 = by_action.values().sum();
        let checks = [
            ("calls", format!("{}", meta.calls), format!("{made}")),
            ("stimuli", format!("{}", meta.stimuli), format!("{}", recording.stimuli.len())),
            ("by_action", format!("{:?}", meta.by_action), format!("{by_action:?}")),
            (
                "store_final",
                show_lines(meta.store_final.iter().map(|b| &b.0[..])),
                show_lines(self.store.lines().iter().map(Vec::as_slice)),
            ),
        ];
        for (what, want, got) in checks {
            if want != got {
                self.differ(
                    None,
                    None,
                    vec![format!("- meta {what} {want}"), format!("+ meta {what} {got}")],
                );
            }
        }
    }

    fn compare_stimulus(&mut self, stimulus: &Stimulus, want: &[Call], mut got: Vec<Made>) {
        let mut want: Vec<&Call> = want.iter().collect();
        if self.strictness == Strictness::ArpSets {
            let is_arp = |word: Option<&[u8]>| word.is_some_and(|w| w.starts_with(b"arp-"));
            sort_runs(&mut want, |c| is_arp(c.argv.get(1).map(|a| &a.0[..])), |c| recorded(c).argv);
            sort_runs(&mut got, |m| is_arp(Some(m.call.action())), |m| m.call.argv.clone());
        }
        for at in 0..want.len().max(got.len()) {
            let (lines, seq) = match (want.get(at), got.get(at)) {
                (Some(want), Some(got)) => (compare(want, got, true), Some(want.seq)),
                (Some(want), None) => (missing(want), Some(want.seq)),
                (None, Some(got)) => (surplus(got), None),
                (None, None) => continue,
            };
            if !lines.is_empty() {
                self.differ(Some(stimulus), seq, lines);
            }
        }
    }

    /// The whole sequence, without moments and stimuli.
    fn compare_all(&mut self) {
        let got: Vec<Made> = std::mem::take(&mut self.made).into_iter().flatten().collect();
        let want = &self.recording.calls;
        for at in 0..want.len().max(got.len()) {
            let (lines, seq) = match (want.get(at), got.get(at)) {
                (Some(want), Some(got)) => (compare(want, got, false), Some(want.seq)),
                (Some(want), None) => (missing(want), Some(want.seq)),
                (None, Some(got)) => (surplus(got), None),
                (None, None) => continue,
            };
            if !lines.is_empty() {
                self.differ(None, seq, lines);
            }
        }
    }
}

fn show_lines<'b>(lines: impl Iterator<Item = &'b [u8]>) -> String {
    let mut lines: Vec<String> = lines.map(|line| line.escape_ascii().to_string()).collect();
    lines.sort();
    lines.join(" | ")
}

/// What `init` printed, for comparison. Where the DHCPv6-aware store puts its `duid` line among the others is no rule
/// of dnsmasq's: there the lines are compared as a set.
fn init_text(bytes: &[u8], v6_aware: bool) -> String {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&b| b == b'\n').collect();
    if v6_aware {
        lines.sort_unstable();
    }
    lines.concat().escape_ascii().to_string()
}

/// Sorts every longest run of items that belong to it.
fn sort_runs<T, K: Ord>(items: &mut [T], belongs: impl Fn(&T) -> bool, key: impl Fn(&T) -> K) {
    for run in items.chunk_by_mut(|a, b| belongs(a) && belongs(b)) {
        if run.len() > 1 {
            run.sort_by_key(&key);
        }
    }
}
