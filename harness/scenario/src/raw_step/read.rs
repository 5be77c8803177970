//! Converts the table of a step to a step.

use std::num::NonZeroU32;
use std::ops::Range;

use super::located::Located;
use super::table::RawStep;
use crate::actions::ClientEvent;
use crate::disturbance::Disturbance;
use crate::point::Point;
use crate::step::{Action, CallDisturbance, ClientMessage, Repeat, Step};

/// The largest number of repetitions of a step.
const MAX_REPETITIONS: u64 = 1_000_000;

/// An error in the table of a step.
#[derive(Debug)]
pub(crate) struct StepError {
    /// Place of the invalid value.
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
    /// Converts the table to a step; `span` is the place of the whole table.
    pub(crate) fn into_step(mut self, span: Range<usize>) -> Result<Step, StepError> {
        let repeat = self.take_repeat()?;
        let disturbance = self.take_disturbance()?;
        let web_page = self.web_page.take().map(|flag| only_true("web-page", flag)).transpose()?;
        let (note, when) = (self.note.take(), std::mem::take(&mut self.when));
        let expect = std::mem::take(&mut self.expect).0;
        let action = self.take_action()?;
        if matches!(action, Action::Check) {
            if let Some(span) = disturbance.as_ref().map(|(_, span)| span).or(web_page.as_ref()) {
                let message = "this step has no action that could be disturbed";
                return Err(StepError::new(span.clone(), message));
            }
            if expect.is_empty() {
                return Err(StepError::new(span, "this step has neither an action nor `expect`"));
            }
        }
        let (disturbance, web_page) = (disturbance.map(|(it, _)| it), web_page.is_some());
        Ok(Step { note, when, repeat, action, disturbance, web_page, expect })
    }

    fn take_repeat(&mut self) -> Result<Option<Repeat>, StepError> {
        let too_often = |span| {
            let message = format!("a step can be repeated at most {MAX_REPETITIONS} times");
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
                    return Err(StepError::new(span, "`every` must be at least one second"));
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
                let message = "a step can be repeated with `times`, or with `every` and `until`, but not with both";
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
            if matches!(point.get_ref(), Point::FileChange { state: 1.., .. }) {
                let message = "only a power cut loses changes of files";
                let help = "leave out `state`, or use `cut`";
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
            located(self.files, Action::Files),
            located(self.remove_files, Action::RemoveFiles),
            located(self.configure, |configure| Action::Configure(Box::new(configure))),
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

/// Returns the place of a flag. A flag cannot be `false`.
fn only_true(key: &str, Located(flag): Located<bool>) -> Result<Range<usize>, StepError> {
    if *flag.get_ref() {
        Ok(flag.span())
    } else {
        let message = format!("`{key}` can only be true: remove the line instead");
        Err(StepError::new(flag.span(), message))
    }
}
