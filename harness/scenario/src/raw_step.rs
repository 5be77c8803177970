//! A step as it stands in a file: a table with one key for each action.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};
use toml::Spanned;

use crate::actions::{Boot, ClientEvent, DaemonAction, Damage, Join, Journal, RawCall};
use crate::disturbance::Disturbance;
use crate::expect::Expect;
use crate::point::Point;
use crate::step::{Action, CallDisturbance, ClientMessage, Repeat, Step};
use crate::units::{Moment, Scalar, Seconds};

/// The largest number of repetitions of a step.
const MAX_REPETITIONS: u64 = 1_000_000;

/// One step: at most one action, what disturbs it, and what must be true afterwards.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(rename = "Step")]
pub(crate) struct RawStep {
    /// A remark for the reader of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The step is played only in cases in which these parameters have these values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) when: BTreeMap<String, Scalar>,
    /// Let this much time pass, then act; repeat until `until` has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<Located<Seconds>>,
    /// How long to repeat, with `every`; at most a million repetitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Located<Seconds>>,
    /// Act this many times, at most a million.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<Located<u32>>,

    /// Action: the router is switched on and dnsmasq starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<Located<Boot>>,
    /// Action, `true`: dnsmasq ends by SIGTERM, then the router is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    shutdown: Option<Located<bool>>,
    /// Action, `true`: power is lost between two events.
    #[serde(skip_serializing_if = "Option::is_none")]
    power_cut: Option<Located<bool>>,
    /// Action: this much time passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    advance: Option<Located<Seconds>>,
    /// Action: the wall clock is set by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_clock: Option<Located<Moment>>,
    /// Action, `true`: NTP sets the wall clock to the true time.
    #[serde(skip_serializing_if = "Option::is_none")]
    ntp: Option<Located<bool>>,
    /// Action: from now on the wall clock runs this many parts per million too fast.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<Located<i32>>,
    /// Action on dnsmasq alone: `start`, `stop` (SIGTERM), `kill` (SIGKILL) or `sighup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dnsmasq: Option<Located<DaemonAction>>,
    /// Action: a new client, or several, ask for leases.
    #[serde(skip_serializing_if = "Option::is_none")]
    join: Option<Located<Join>>,
    /// Action: a client with a lease sends DISCOVER and REQUEST again.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Located<ClientEvent>>,
    /// Action: a client renews by unicast, as at T1.
    #[serde(skip_serializing_if = "Option::is_none")]
    renew: Option<Located<ClientEvent>>,
    /// Action: a client renews by broadcast, as at T2.
    #[serde(skip_serializing_if = "Option::is_none")]
    rebind: Option<Located<ClientEvent>>,
    /// Action: a client reboots and requests the address that it remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    init_reboot: Option<Located<ClientEvent>>,
    /// Action: a client takes another host name and renews.
    #[serde(skip_serializing_if = "Option::is_none")]
    rename: Option<Located<ClientEvent>>,
    /// Action: a client sends INFORM, which asks for options only.
    #[serde(skip_serializing_if = "Option::is_none")]
    inform: Option<Located<ClientEvent>>,
    /// Action: a client releases its lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<Located<ClientEvent>>,
    /// Action: a client declines its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<Located<ClientEvent>>,
    /// Action: a client leaves the network without a message. Patterns do not match it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<Located<ClientEvent>>,
    /// Action: a lease journal of ISC dhcpd is replayed. dnsmasq restarts with the journal's addresses, and the
    /// same clients get, renew and release the same addresses at the same times.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<Located<Journal>>,
    /// Action: the lease script is called with these arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<Located<RawCall>>,
    /// Action: another program runs these `nvram` commands, each a list of arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    nvram: Option<Located<Vec<Vec<String>>>>,
    /// Action: bytes of the flash or of RAM are overwritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<Located<Damage>>,

    /// `true`: a web page calls `init` while the script runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    web_page: Option<Located<bool>>,
    /// Disturbance: power is lost at this point of a script call.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Located<Point>>,
    /// Disturbance: the script is killed at this point; power stays on.
    #[serde(skip_serializing_if = "Option::is_none")]
    kill: Option<Located<Point>>,
    /// Disturbance: the `nvram` commands of a script call whose first word is this one fail without any effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    fail: Option<Located<String>>,
    /// Which script call of the step `cut`, `kill` or `fail` disturbs, from 1 (default 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    at_call: Option<Located<NonZeroU32>>,

    /// What must be true after the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    expect: Option<Expect>,
}

/// A value and its place in the file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
struct Located<T>(Spanned<T>);

impl<T> Located<T> {
    fn new(value: T) -> Self {
        Self(Spanned::new(0..0, value))
    }
}

/// The schema is that of the value.
impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Why a table is no step.
#[derive(Debug)]
pub(crate) struct StepError {
    /// Place of the offending value.
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

impl StepError {
    fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }
}

impl RawStep {
    /// The step that the table means; `span` is the place of the whole table.
    pub(crate) fn into_step(mut self, span: Range<usize>) -> Result<Step, StepError> {
        let repeat = self.take_repeat()?;
        let disturbance = self.take_disturbance()?;
        let web_page = self.web_page.take().map(|flag| only_true("web-page", flag)).transpose()?;
        let (note, when) = (self.note.take(), std::mem::take(&mut self.when));
        let expect = self.expect.take();
        let action = self.take_action()?;
        if matches!(action, Action::Check) {
            if let Some(span) = disturbance.as_ref().map(|(_, span)| span).or(web_page.as_ref()) {
                let message = "this step has no action that could be disturbed";
                return Err(StepError::new(span.clone(), message));
            }
            if expect.is_none() {
                return Err(StepError::new(span, "this step has neither an action nor `expect`"));
            }
        }
        let (disturbance, web_page) = (disturbance.map(|(it, _)| it), web_page.is_some());
        Ok(Step { note, when, repeat, action, disturbance, web_page, expect })
    }

    fn take_repeat(&mut self) -> Result<Option<Repeat>, StepError> {
        let too_often = |span| {
            let message = format!("a step is repeated at most {MAX_REPETITIONS} times");
            StepError::new(span, message)
        };
        match (self.times.take(), self.every.take(), self.until.take()) {
            (None, None, None) => Ok(None),
            (Some(Located(times)), None, None) => {
                if u64::from(*times.get_ref()) > MAX_REPETITIONS {
                    return Err(too_often(times.span()));
                }
                Ok(Some(Repeat::Times(times.into_inner())))
            }
            (None, Some(Located(every)), Some(Located(until))) => {
                let span = every.span();
                let (every, until) = (every.into_inner(), until.into_inner());
                if every.0 == 0 {
                    return Err(StepError::new(span, "`every` is at least one second"));
                }
                if until.0 / every.0 > MAX_REPETITIONS {
                    return Err(too_often(span));
                }
                Ok(Some(Repeat::Every { every, until }))
            }
            (None, Some(Located(every)), None) => {
                Err(StepError::new(every.span(), "`every` needs `until`"))
            }
            (None, None, Some(Located(until))) => {
                Err(StepError::new(until.span(), "`until` needs `every`"))
            }
            (Some(Located(times)), ..) => {
                let message = "a step is repeated either `times`, or `every` … `until` …";
                Err(StepError::new(times.span(), message))
            }
        }
    }

    fn take_disturbance(&mut self) -> Result<Option<(CallDisturbance, Range<usize>)>, StepError> {
        let mut found: Option<(&str, Disturbance, Range<usize>)> = None;
        let mut add = |key, disturbance, span: Range<usize>| match &found {
            Some((other, ..)) => Err(StepError::new(
                span,
                format!(
                    "a step has at most one disturbance, and this one has `{other}` and `{key}`"
                ),
            )),
            None => {
                found = Some((key, disturbance, span));
                Ok(())
            }
        };
        if let Some(Located(point)) = self.cut.take() {
            let span = point.span();
            add("cut", Disturbance::Cut(point.into_inner()), span)?;
        }
        if let Some(Located(point)) = self.kill.take() {
            let span = point.span();
            if point.get_ref().is_inside_flash_operation() {
                let message = "the kernel completes a flash operation of a killed process";
                let help = "kill before or after an `nvram` command, or use `cut`";
                return Err(StepError { help: Some(help), ..StepError::new(span, message) });
            }
            add("kill", Disturbance::Kill(point.into_inner()), span)?;
        }
        if let Some(Located(word)) = self.fail.take() {
            let span = word.span();
            add("fail", Disturbance::Fail(word.into_inner()), span)?;
        }
        match (found, self.at_call.take()) {
            (Some((_, disturbance, span)), call) => {
                let call = call.map_or(NonZeroU32::MIN, |Located(call)| call.into_inner());
                Ok(Some((CallDisturbance { call, disturbance }, span)))
            }
            (None, Some(Located(call))) => {
                Err(StepError::new(call.span(), "`at-call` needs `cut`, `kill` or `fail`"))
            }
            (None, None) => Ok(None),
        }
    }

    fn take_action(self) -> Result<Action, StepError> {
        let client = |message, event: Option<Located<ClientEvent>>| {
            located(event, |event| Action::Client(message, event))
        };
        let actions = [
            located(self.boot, Action::Boot),
            flag("shutdown", self.shutdown, Action::Shutdown)?,
            flag("power-cut", self.power_cut, Action::PowerCut)?,
            located(self.advance, Action::Advance),
            located(self.set_clock, Action::SetClock),
            flag("ntp", self.ntp, Action::Ntp)?,
            located(self.drift, Action::Drift),
            located(self.dnsmasq, Action::Dnsmasq),
            located(self.join, Action::Join),
            client(ClientMessage::Request, self.request),
            client(ClientMessage::Renew, self.renew),
            client(ClientMessage::Rebind, self.rebind),
            client(ClientMessage::InitReboot, self.init_reboot),
            client(ClientMessage::Rename, self.rename),
            client(ClientMessage::Inform, self.inform),
            client(ClientMessage::Release, self.release),
            client(ClientMessage::Decline, self.decline),
            located(self.silence, Action::Silence),
            located(self.journal, Action::Journal),
            located(self.call, Action::Call),
            located(self.nvram, Action::Nvram),
            located(self.damage, Action::Damage),
        ];
        let mut actions: Vec<_> = actions.into_iter().flatten().collect();
        actions.sort_by_key(|(_, span)| span.start);
        if let [(first, _), (second, span), ..] = actions.as_slice() {
            let keys = [first, second].map(|action| action.key().unwrap_or_default());
            let [first, second] = keys;
            let message =
                format!("a step has at most one action, and this one has `{first}` and `{second}`");
            return Err(StepError::new(span.clone(), message));
        }
        Ok(actions.pop().map_or(Action::Check, |(action, _)| action))
    }
}

/// An action and the place of its value.
type LocatedAction = Option<(Action, Range<usize>)>;

fn located<T>(value: Option<Located<T>>, action: impl FnOnce(T) -> Action) -> LocatedAction {
    value.map(|Located(value)| {
        let span = value.span();
        (action(value.into_inner()), span)
    })
}

fn flag(
    key: &str,
    value: Option<Located<bool>>,
    action: Action,
) -> Result<LocatedAction, StepError> {
    let span = value.map(|value| only_true(key, value)).transpose()?;
    Ok(span.map(|span| (action, span)))
}

/// The place of a flag, which cannot be `false`.
fn only_true(key: &str, Located(flag): Located<bool>) -> Result<Range<usize>, StepError> {
    if *flag.get_ref() {
        Ok(flag.span())
    } else {
        let message = format!("`{key}` can only be true: remove the line instead");
        Err(StepError::new(flag.span(), message))
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawStep::from(self.clone()).serialize(serializer)
    }
}

impl From<Step> for RawStep {
    fn from(step: Step) -> Self {
        let mut raw =
            Self { note: step.note, when: step.when, expect: step.expect, ..Self::default() };
        match step.repeat {
            None => {}
            Some(Repeat::Times(times)) => raw.times = Some(Located::new(times)),
            Some(Repeat::Every { every, until }) => {
                raw.every = Some(Located::new(every));
                raw.until = Some(Located::new(until));
            }
        }
        raw.web_page = step.web_page.then(|| Located::new(true));
        if let Some(CallDisturbance { call, disturbance }) = step.disturbance {
            raw.at_call = (call != NonZeroU32::MIN).then(|| Located::new(call));
            match disturbance {
                Disturbance::Cut(point) => raw.cut = Some(Located::new(point)),
                Disturbance::Kill(point) => raw.kill = Some(Located::new(point)),
                Disturbance::Fail(word) => raw.fail = Some(Located::new(word)),
            }
        }
        raw.set_action(step.action);
        raw
    }
}

impl RawStep {
    fn set_action(&mut self, action: Action) {
        match action {
            Action::Check => {}
            Action::Boot(boot) => self.boot = Some(Located::new(boot)),
            Action::Shutdown => self.shutdown = Some(Located::new(true)),
            Action::PowerCut => self.power_cut = Some(Located::new(true)),
            Action::Advance(time) => self.advance = Some(Located::new(time)),
            Action::SetClock(moment) => self.set_clock = Some(Located::new(moment)),
            Action::Ntp => self.ntp = Some(Located::new(true)),
            Action::Drift(ppm) => self.drift = Some(Located::new(ppm)),
            Action::Dnsmasq(action) => self.dnsmasq = Some(Located::new(action)),
            Action::Join(join) => self.join = Some(Located::new(join)),
            Action::Client(message, event) => *self.client(message) = Some(Located::new(event)),
            Action::Silence(event) => self.silence = Some(Located::new(event)),
            Action::Journal(journal) => self.journal = Some(Located::new(journal)),
            Action::Call(call) => self.call = Some(Located::new(call)),
            Action::Nvram(commands) => self.nvram = Some(Located::new(commands)),
            Action::Damage(damage) => self.damage = Some(Located::new(damage)),
        }
    }

    fn client(&mut self, message: ClientMessage) -> &mut Option<Located<ClientEvent>> {
        match message {
            ClientMessage::Request => &mut self.request,
            ClientMessage::Renew => &mut self.renew,
            ClientMessage::Rebind => &mut self.rebind,
            ClientMessage::InitReboot => &mut self.init_reboot,
            ClientMessage::Rename => &mut self.rename,
            ClientMessage::Inform => &mut self.inform,
            ClientMessage::Release => &mut self.release,
            ClientMessage::Decline => &mut self.decline,
        }
    }
}
