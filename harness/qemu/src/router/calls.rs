//! Script calls in a guest: as the hook writes them down, one after another.

use std::fmt::Write as _;
use std::time::Instant;

use nvram_emu::device::{Op, OpKind};
use rand::RngExt as _;

use super::super::error::QemuError;
use super::super::events::{self, Event};
use super::super::payload;
use super::super::strike::Watch;
use super::{Router, State};
use backend::{CallEnd, CallOptions, CallResult, Disturbance};
use dnsmasq_model::ScriptCall;
use scenario::{Point, Side};

/// What the guest was seen to do.
#[derive(Debug, Default)]
struct Seen {
    commands: Vec<Vec<Vec<u8>>>,
    operations: Vec<Op>,
}

impl Router<'_> {
    /// Runs the script without dnsmasq.
    pub(super) fn call_directly(
        &mut self,
        call: &ScriptCall,
        plan: &CallOptions,
    ) -> Result<CallResult, QemuError> {
        let variables: Vec<String> = call
            .env
            .iter()
            .map(|(name, value)| format!("{name}={}; export {name}; ", payload::quoted(value)))
            .collect();
        let words: Vec<String> =
            call.argv.iter().skip(1).map(|word| payload::quoted(word)).collect();
        let number = if plan.disturbance.is_some() { self.next_number()? } else { 0 };
        let watch = self.arm(number, plan)?;
        let script = format!(
            "{}LAB_DIRECT=1; export LAB_DIRECT; sh /lab/hook {} >/dev/null 2>&1 &",
            variables.concat(),
            words.join(" ")
        );
        self.power_on()?.must(&script)?;
        loop {
            match self.event(false)? {
                Some(Event::Call(..)) => break,
                Some(_) => {}
                None => return Err(QemuError::Guest("the hook did not begin".to_owned())),
            }
        }
        self.follow(plan, watch)
    }

    /// The next call of dnsmasq's, let go and followed to its end. `None` when dnsmasq is at rest.
    pub(super) fn call_of_dnsmasq(
        &mut self,
        plan: &CallOptions,
    ) -> Result<Option<(ScriptCall, CallResult)>, QemuError> {
        if self.guest.is_none() {
            return Ok(None);
        }
        loop {
            match self.next_event()? {
                Some(Event::Call(number, mut call)) => {
                    let watch = self.arm(number, plan)?;
                    let wall = self.clock.wall;
                    self.power_on()?.must(&format!(
                        "date -u -s @{wall} >/dev/null; echo {number} >/tmp/lab/go"
                    ))?;
                    call.argv[0].clone_from(&self.script_name);
                    self.straighten(&mut call);
                    let result = self.follow(plan, watch)?;
                    return Ok(Some((call, result)));
                }
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// How long a lease still lasts is counted when the call is made, a moment after the lease was: as if time
    /// had stood still.
    fn straighten(&self, call: &mut ScriptCall) {
        const REMAINING: &str = "DNSMASQ_TIME_REMAINING";
        let number = |call: &ScriptCall, name: &str| -> Option<i64> {
            std::str::from_utf8(call.env.get(name)?).ok()?.parse().ok()
        };
        let (Some(remaining), Some(expires)) =
            (number(call, REMAINING), number(call, "DNSMASQ_LEASE_EXPIRES"))
        else {
            return;
        };
        let still = expires - self.clock.wall;
        let patience = self.lab.patience.command().as_secs() as i64;
        if (still - patience..=still).contains(&remaining) {
            call.env.insert(REMAINING.to_owned(), still.to_string().into_bytes());
        }
    }

    fn next_number(&mut self) -> Result<u64, QemuError> {
        let text = self.power_on()?.must("cat /tmp/lab/number 2>/dev/null; :")?;
        let last: u64 = String::from_utf8_lossy(&text).trim().parse().unwrap_or(0);
        Ok(last + 1)
    }

    /// Tells the guest, or the watcher of the flash, what strikes the call.
    fn arm(&mut self, number: u64, plan: &CallOptions) -> Result<Option<Watch>, QemuError> {
        let Some(disturbance) = &plan.disturbance else { return Ok(None) };
        let (deed, point) = match disturbance {
            Disturbance::Cut(point) => ("cut", point),
            Disturbance::Kill(point) => ("kill", point),
            Disturbance::Fail(word) => {
                self.power_on()?.must(&format!(
                    "echo {number} fail before {} - >/tmp/lab/strike",
                    payload::quoted(word.as_bytes())
                ))?;
                return Ok(None);
            }
        };
        let side = |side: Side| match side {
            Side::Before => "before",
            Side::After => "after",
        };
        let line = match point {
            Point::Word(place, word) => {
                format!("{} {} -", side(*place), payload::quoted(word.as_bytes()))
            }
            Point::Command(place, nth) => format!("{} - {nth}", side(*place)),
            Point::Within { .. } | Point::Operation { .. } | Point::Erase | Point::Program => {
                let blocks = self.lab.flash.partition as u64 / u64::from(self.lab.flash.erase);
                let nth = match point {
                    // Each block is erased, then programmed.
                    Point::Operation { op, .. } | Point::Within { op, .. } => {
                        u64::from(*op) / 2 + 1
                    }
                    _ => self.dice.random_range(1..=blocks),
                };
                let trace = self.path("trace");
                let pid = self.power_on()?.pid();
                return Ok(Some(Watch::begin(&trace, nth, pid)?));
            }
        };
        self.power_on()?.must(&format!("echo {number} {deed} {line} >/tmp/lab/strike"))?;
        Ok(None)
    }

    /// Follows a call that has begun to its end.
    fn follow(
        &mut self,
        plan: &CallOptions,
        watch: Option<Watch>,
    ) -> Result<CallResult, QemuError> {
        let mut seen = Seen::default();
        let killed = matches!(plan.disturbance, Some(Disturbance::Kill(_)));
        let end = loop {
            let event = match self.event(false) {
                Ok(event) => event,
                // The watcher has cut the power.
                Err(_) if watch.as_ref().is_some_and(Watch::has_struck) => {
                    break (CallEnd::PowerLost, Vec::new(), Vec::new());
                }
                Err(error) => return Err(error),
            };
            match event {
                Some(Event::Command(_, words)) => seen.commands.push(words),
                Some(Event::Operation(_, op)) => seen.operations.push(op),
                Some(Event::Strike(_)) if killed => {}
                Some(Event::Strike(_)) => {
                    break (CallEnd::PowerLost, Vec::new(), Vec::new());
                }
                Some(Event::End(_, code, stdout, stderr)) => {
                    let end = match code {
                        137 if killed => CallEnd::Killed(9),
                        code => CallEnd::Exited(code),
                    };
                    break (end, stdout, stderr);
                }
                Some(Event::Call(..)) => {
                    let text = "two calls of the script at once".to_owned();
                    return Err(QemuError::Guest(text));
                }
                None => {
                    return Err(QemuError::Guest("a call of the script never ended".to_owned()));
                }
            }
        };
        drop(watch);
        let (end, stdout, stderr) = end;
        if end == CallEnd::PowerLost {
            self.cut()?;
            if plan_strikes_flash(plan) {
                // The command that was cut was the last that was seen, or one that nobody could write down.
                if seen.commands.last().is_none_or(|words| words[0] != b"commit") {
                    seen.commands.push(vec![b"commit".to_vec()]);
                }
            } else if plan_strikes_before(plan) {
                // It never ran.
                seen.commands.pop();
            }
            let erases = self.account(&seen.commands, false)?;
            let block = self.lab.flash.erase;
            seen.operations = erases
                .into_iter()
                .map(|offset| Op { kind: OpKind::Erase, offset: offset as u32, len: block })
                .collect();
        } else {
            let mut ran = seen.commands.clone();
            if let Some(Disturbance::Fail(word)) = &plan.disturbance {
                ran.retain(|words| words.first().is_none_or(|first| first != word.as_bytes()));
            }
            if killed && plan_strikes_before(plan) {
                ran.pop();
            }
            self.account(&ran, true)?;
            let flash = self.flash()?;
            self.ledger.compare(&flash);
        }
        Ok(CallResult {
            end,
            stdout,
            stderr,
            commands: seen.commands,
            operations: seen.operations,
            wrote_journal: false,
            pages: Vec::new(),
        })
    }

    /// Enters what the machine and the lab counted for commands that ran just now.
    pub(super) fn account(
        &mut self,
        commands: &[Vec<Vec<u8>>],
        whole: bool,
    ) -> Result<Vec<u64>, QemuError> {
        let path = self.path("trace");
        let seen = self.trace.take().map_err(QemuError::file(&path))?;
        if self.lab.flash.options.is_empty() {
            return Ok(Vec::new());
        }
        self.ledger.enter(commands.iter().map(Vec::as_slice), &seen, whole);
        Ok(seen.into_iter().filter_map(Result::ok).collect())
    }

    /// The next event. `None` when dnsmasq and its script are at rest without one.
    fn next_event(&mut self) -> Result<Option<Event>, QemuError> {
        self.event(true)
    }

    /// The next event. `None` at rest, where rest is what is waited for as well.
    fn event(&mut self, or_rest: bool) -> Result<Option<Event>, QemuError> {
        let until = Instant::now() + self.lab.patience.command();
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if std::mem::take(&mut self.state.resting) && or_rest {
                return Ok(None);
            }
            self.look(if or_rest { Want::Rest } else { Want::News })?;
            if Instant::now() > until {
                return Err(QemuError::Guest(format!(
                    "dnsmasq and its script did not come to rest in {} s",
                    self.lab.patience.command().as_secs()
                )));
            }
        }
    }

    /// Asks the guest what has happened since, and whether it is at rest now.
    pub(super) fn look(&mut self, want: Want) -> Result<(), QemuError> {
        self.look_after("", want)
    }

    /// The same after one more thing.
    pub(super) fn look_after(&mut self, first: &str, want: Want) -> Result<(), QemuError> {
        let (read, word) = (self.read, want.word());
        let output = self.power_on()?.must(&format!("{first}set -- {read} {word}; . /lab/look"))?;
        let at = output.iter().position(|byte| *byte == b'\n').map_or(output.len(), |at| at + 1);
        let (state, events) = output.split_at(at);
        let state = String::from_utf8_lossy(state);
        let mut words = state.split_whitespace();
        let resting = words.next() == Some("rest");
        let mut count = || words.next()?.parse().ok();
        let datagrams = count().zip(count());
        let mut slices: Vec<String> = words.map(str::to_owned).collect();
        if want == Want::News {
            // Nobody looked at dnsmasq: only what it wrote was waited for.
            slices.clone_from(&self.state.slices);
        }
        let (events, taken) = events::read(events).map_err(QemuError::Guest)?;
        self.read += taken;
        // What came last was written before the look, or is still to come.
        self.state = State { resting: resting && events.is_empty(), datagrams, slices };
        self.events.extend(events);
        Ok(())
    }
}

/// What a look at the guest waits for (`harness/qemu/guest/look`): news in any case, but not for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Or for rest.
    Rest,
    /// For nothing else.
    News,
    /// It does not wait.
    Now,
}

impl Want {
    fn word(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::News => "news",
            Self::Now => "now",
        }
    }
}

fn plan_strikes_flash(plan: &CallOptions) -> bool {
    match &plan.disturbance {
        Some(Disturbance::Cut(point) | Disturbance::Kill(point)) => {
            !matches!(point, Point::Word(..) | Point::Command(..))
        }
        _ => false,
    }
}

fn plan_strikes_before(plan: &CallOptions) -> bool {
    matches!(
        &plan.disturbance,
        Some(
            Disturbance::Cut(Point::Word(Side::Before, _) | Point::Command(Side::Before, _))
                | Disturbance::Kill(Point::Word(Side::Before, _) | Point::Command(Side::Before, _))
        )
    )
}

/// The lines of `NVRAM_EMU_LOG`.
pub(super) fn operations(text: &str) -> Vec<Op> {
    let mut lines = String::new();
    for line in text.lines() {
        _ = writeln!(lines, "op 0 {line}");
    }
    let (events, _) = events::read(lines.as_bytes()).unwrap_or_default();
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Operation(_, op) => Some(op),
            _ => None,
        })
        .collect()
}
