//! Carries out the steps of a scenario.

use std::net::IpAddr;
use std::ops::Range;

use toml::Spanned;

use super::action::ClientAction;
use super::bound;
use super::case_error::CaseError;
use super::clients::{Clients, parse_address};
use super::clocks::Clocks;
use super::configuration::{Configuration, build_of, configuration};
use super::damage;
use super::demands::ReadMethod;
use super::escapes::unescape;
use super::expect;
use super::history::EventKind;
use super::journal;
use super::planned_fault::PlannedFault;
use super::router::Ending;
use super::script::{is_variable_name, no_variable_name};
use super::session::{FaultsSoFar, Session, StepPlan};
use backend::{BackendError, RouterPath};
use dnsmasq_model::{Build, ScriptCall};
use scenario::{
    Action, Boot, Case, ClientEvent, ClientMessage, DaemonAction, Damage, Expect, RawCall, Repeat,
    ReplyKind, Server, Step,
};

/// Plays the steps of a case.
pub(super) struct Player<'a, 'w> {
    case: &'a Case,
    session: &'w mut Session<'a>,
    clients: Clients,
    reply: Option<ReplyKind>,
    /// The configuration of dnsmasq's next start.
    server: Server,
    /// How dnsmasq is compiled at its next start, and its configuration, if they have changed since its last one.
    changed: Option<(Build, Configuration)>,
    /// Number of boots so far.
    boots: u32,
}

impl<'a, 'w> Player<'a, 'w> {
    pub(super) fn new(
        case: &'a Case,
        server: Server,
        session: &'w mut Session<'a>,
    ) -> Result<Self, CaseError> {
        let clients = bound::clients(case)?;
        Ok(Self { case, session, clients, reply: None, server, changed: None, boots: 0 })
    }

    /// Plays all steps.
    ///
    /// # Errors
    /// A step that cannot be carried out, with its place in the file, or a back end that fails.
    pub(super) fn play(&mut self) -> Result<(), CaseError> {
        for (index, step) in self.case.scenario.steps.iter().enumerate() {
            if !self.case.matches(&step.get_ref().when) {
                continue;
            }
            let text = step.get_ref().summary();
            self.session.record(EventKind::Step { number: index + 1, text: text.clone() });
            self.session.judge.findings.at_step(index, step.span(), text);
            self.session.begin_step(plan(step.get_ref()));
            self.reply = None;
            self.repeat(step).map_err(|fault| place(self.case, action_span(step), fault))?;
            let expectations = step.get_ref().expect.iter();
            let expectations: Vec<&Expect> =
                expectations.filter(|expect| self.case.matches(&expect.when)).collect();
            self.session.end_step(expect::read_method(&expectations))?;
            if expectations.iter().all(|expect| expect.dnsmasq_exit.is_none()) {
                self.session.report_failed_start();
                if !expectations.is_empty() {
                    expect::reject_exit(self.session);
                }
            }
            if self.session.unplayable.is_some() {
                break;
            }
            for expect in expectations {
                expect::check(self.session, &self.clients, self.reply, expect, self.case)
                    .map_err(|error| place(self.case, step.span(), error.into()))?;
            }
            if self.session.observers.is_lenient() && self.session.judge.findings.any_denied() {
                break;
            }
        }
        Ok(self.session.check_store(ReadMethod::Init)?)
    }

    fn repeat(&mut self, step: &'a Spanned<Step>) -> Result<(), CaseError> {
        let (times, pause) = match step.get_ref().repeat {
            None => (1, 0),
            Some(Repeat::Times(times)) => (u64::from(times), 0),
            Some(Repeat::Every { every, until }) => (until.0 / every.0, every.0),
        };
        for turn in 0..times {
            self.session.pass(pause as i64)?;
            self.act(step)?;
            if turn + 1 < times && times <= 1_000 {
                self.session.check_store(ReadMethod::Records)?;
            }
        }
        Ok(())
    }

    fn act(&mut self, step: &'a Spanned<Step>) -> Result<(), CaseError> {
        let span = step.span();
        let action = &step.get_ref().action;
        if needs_power(action) && !self.session.router.is_on() {
            if self.session.observers.skip() {
                return Ok(());
            }
            return Err(self.fault(span, "the router is off: `boot` it first"));
        }
        if let Action::Client(_, event) | Action::Silence(event) = action
            && !self.clients.any(event.client.get_ref())
            && self.session.observers.skip()
        {
            return Ok(());
        }
        match action {
            Action::Check => {}
            Action::Boot(boot) => self.boot(span, boot)?,
            Action::Shutdown => {
                self.session.stop_dnsmasq(Ending::Terminated)?;
                self.session.power_off()?;
            }
            Action::PowerCut => self.session.power_off()?,
            Action::Advance(seconds) => self.session.pass(seconds.0 as i64)?,
            Action::SetClock(moment) => self.change_clock(|clocks| clocks.set(*moment))?,
            Action::Ntp => self.change_clock(Clocks::ntp)?,
            Action::Drift(ppm) => self.change_clock(|clocks| clocks.drift(*ppm))?,
            Action::Dnsmasq(action) => self.dnsmasq(*action)?,
            Action::Join(join) => {
                for index in self.clients.join(self.case, span, join)? {
                    self.client_action(ClientAction::Ask, index, None)?;
                }
            }
            Action::Client(message, event) => self.event(event, client_action(*message))?,
            Action::Silence(event) => {
                for index in self.clients.select(self.case, event)? {
                    self.clients.silence(index);
                }
            }
            Action::Journal(journal) => journal::replay(self.case, self.session, journal)?,
            Action::Call(call) => self.call(span, call)?,
            Action::Nvram(commands) => self.other_program(&span, commands)?,
            Action::Damage(damage) => self.damage(damage)?,
            Action::Files(files) => {
                for (path, contents) in files {
                    let contents =
                        unescape(contents).map_err(|why| self.fault(span.clone(), why))?;
                    self.session.write_file(path, Some(contents))?;
                }
            }
            Action::RemoveFiles(paths) => {
                for path in paths {
                    self.session.write_file(path, None)?;
                }
            }
            Action::Configure(change) => {
                change.apply(&mut self.server);
                self.change_configuration(self.session.router.engine().build())?;
            }
        }
        Ok(())
    }

    fn change_clock(&mut self, change: impl FnOnce(&mut Clocks)) -> Result<(), BackendError> {
        let clocks = &mut self.session.router.clocks;
        let before = clocks.now().wall;
        change(clocks);
        let jump = clocks.now().wall - before;
        self.session.record(EventKind::Clock { jump });
        self.session.sync_clock()
    }

    fn other_program(
        &mut self,
        span: &Range<usize>,
        commands: &[Vec<String>],
    ) -> Result<(), CaseError> {
        for command in commands {
            let words: Result<Vec<Vec<u8>>, String> =
                command.iter().map(|word| unescape(word)).collect();
            let words = words.map_err(|why| self.fault(span.clone(), why))?;
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            self.session.other_program(&words)?;
        }
        Ok(())
    }

    fn fault(&self, span: Range<usize>, message: impl Into<String>) -> CaseError {
        self.case.error(span, message).into()
    }

    fn boot(&mut self, span: Range<usize>, boot: &Boot) -> Result<(), CaseError> {
        if self.session.router.is_on()
            && (self.session.faults == FaultsSoFar::Missed || self.session.observers.is_lenient())
        {
            self.session.power_off()?;
            self.session.observers.update_outcome(|step| step.power_cut_first = true);
        }
        if self.session.router.is_on() {
            return Err(self.fault(span, "the router is on: add `shutdown` or `power-cut` first"));
        }
        self.session.pass(boot.off.map_or(0, |off| off.0 as i64))?;
        if boot.rtc.is_some() || boot.lease_limit.is_some() || boot.dnsmasq_release.is_some() {
            if boot.dnsmasq_release.is_some() {
                self.server.dnsmasq.clone_from(&boot.dnsmasq_release);
            }
            let build = boot.rtc.map_or(self.session.router.engine().build(), build_of);
            self.server.lease_limit = boot.lease_limit.or(self.server.lease_limit);
            self.change_configuration(build)?;
        }
        self.session.power_on(boot.clock.unwrap_or(self.case.scenario.router.clock));
        self.write_files(span)?;
        if boot.dnsmasq != Some(false) {
            self.start()?;
        }
        Ok(())
    }

    /// Writes the files of `[router]`: those in RAM at each boot, the others at the first one.
    fn write_files(&mut self, span: Range<usize>) -> Result<(), CaseError> {
        self.boots += 1;
        let is_first = self.boots == 1;
        for (path, contents) in &self.case.scenario.router.files {
            let contents = unescape(contents).map_err(|why| self.fault(span.clone(), why))?;
            if is_first || matches!(RouterPath::parse(path), Ok(RouterPath::Ram(_))) {
                self.session.write_file(path, Some(contents))?;
            }
        }
        Ok(())
    }

    /// Checks the configuration, and keeps it for the next start.
    fn change_configuration(&mut self, build: Build) -> Result<(), CaseError> {
        self.changed = Some((build, configuration(self.case, &self.server)?));
        Ok(())
    }

    /// Starts dnsmasq with its latest configuration.
    fn start(&mut self) -> Result<(), CaseError> {
        if let Some((build, configuration)) = self.changed.take() {
            self.session.stop_dnsmasq(Ending::Terminated)?;
            self.session.router.configure(build, configuration);
        }
        Ok(self.session.start_dnsmasq()?)
    }

    fn dnsmasq(&mut self, action: DaemonAction) -> Result<(), CaseError> {
        match action {
            DaemonAction::Start => self.start()?,
            DaemonAction::Restart => {
                self.session.stop_dnsmasq(Ending::Terminated)?;
                self.start()?;
            }
            DaemonAction::Stop => self.session.stop_dnsmasq(Ending::Terminated)?,
            DaemonAction::Kill => self.session.stop_dnsmasq(Ending::Killed)?,
            DaemonAction::Sighup => self.session.sighup()?,
        }
        Ok(())
    }

    fn event(&mut self, event: &ClientEvent, action: ClientAction) -> Result<(), CaseError> {
        let address = match &event.address {
            Some(address) => Some(parse_address(self.case, address)?),
            None => None,
        };
        for index in self.clients.select(self.case, event)? {
            self.client_action(action, index, address)?;
        }
        Ok(())
    }

    fn client_action(
        &mut self,
        action: ClientAction,
        index: usize,
        address: Option<IpAddr>,
    ) -> Result<(), CaseError> {
        if !self.session.router.is_on() {
            return Ok(());
        }
        let client = self.clients.get_mut(index);
        self.reply = Some(self.session.client_action(client, action, address)?);
        Ok(())
    }

    fn call(&mut self, span: Range<usize>, raw: &RawCall) -> Result<(), CaseError> {
        let mut argv = vec![b"script".to_vec()];
        for word in &raw.arguments {
            argv.push(unescape(word).map_err(|why| self.fault(span.clone(), why))?);
        }
        let mut call = ScriptCall { argv, ..ScriptCall::default() };
        for (name, value) in &raw.environment {
            let value = unescape(value).map_err(|why| self.fault(span.clone(), why))?;
            if !is_variable_name(name) {
                return Err(self.fault(span, no_variable_name(name)));
            }
            call.env.insert(name.clone(), value);
        }
        self.session.foreign_call(&call)?;
        Ok(())
    }

    fn damage(&mut self, damage: &Damage) -> Result<(), CaseError> {
        let machine = self.session.router.machine()?.into_owned();
        let damaged = damage::apply(self.case, &machine, damage)?;
        self.session.record(EventKind::Damage);
        self.session.router.backend.replace(damaged)?;
        self.session.judge.damaged(&mut self.session.router)?;
        Ok(())
    }
}

/// Adds the place in the file to the error about a message that cannot be encoded.
fn place(case: &Case, span: Range<usize>, fault: CaseError) -> CaseError {
    match fault {
        CaseError::Backend(BackendError::Message(why) | BackendError::Storage(why)) => {
            case.error(span, why).into()
        }
        other => other,
    }
}

/// The place of the client that a step is about, or of the step.
fn action_span(step: &Spanned<Step>) -> Range<usize> {
    match &step.get_ref().action {
        Action::Join(join) => join.client.span(),
        Action::Client(_, event) => event.client.span(),
        _ => step.span(),
    }
}

/// Whether an action is possible only while the router is on.
fn needs_power(action: &Action) -> bool {
    !matches!(
        action,
        Action::Check
            | Action::Boot(_)
            | Action::Advance(_)
            | Action::Silence(_)
            | Action::Damage(_)
            | Action::Configure(_)
    )
}

fn client_action(message: ClientMessage) -> ClientAction {
    match message {
        ClientMessage::Request => ClientAction::Ask,
        ClientMessage::Renew | ClientMessage::Rename => ClientAction::Renew,
        ClientMessage::Rebind => ClientAction::Rebind,
        ClientMessage::InitReboot => ClientAction::InitReboot,
        ClientMessage::Inform => ClientAction::Inform,
        ClientMessage::Release => ClientAction::Release,
        ClientMessage::Decline => ClientAction::Decline,
    }
}

fn plan(step: &Step) -> StepPlan {
    let fault = step.disturbance.clone();
    let fault = fault.map(|fault| PlannedFault::new(fault.disturbance, fault.call.get()));
    StepPlan { fault, web_page: step.web_page }
}
