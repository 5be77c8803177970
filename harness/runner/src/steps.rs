//! What each kind of step does.

use std::ops::Range;

use toml::Spanned;

use super::clients::{Clients, parse_address};
use super::exchange;
use super::expect;
use super::lenient_log::Done;
use super::record::Event;
use super::text::unescape;
use super::world::{Ending, StepPlan, World};
use super::{Fault, configuration, journal};
use dnsmasq_model::{Build, ScriptCall, Server};
use scenario::{
    Action, Boot, Case, ClientEvent, ClientMessage, DaemonAction, Damage, Memory, RawCall, Repeat,
    ReplyKind, Rtc, Step,
};

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAction {
    /// DISCOVER and REQUEST, or BOOTREQUEST, or SOLICIT and REQUEST.
    Ask,
    /// Unicast REQUEST, or RENEW.
    Renew,
    /// Broadcast REQUEST, or REBIND.
    Rebind,
    /// REQUEST of a remembered address, or CONFIRM.
    InitReboot,
    /// INFORM.
    Inform,
    /// RELEASE.
    Release,
    /// DECLINE.
    Decline,
}

/// Runs the steps of a case.
pub(super) struct Player<'a, 'w> {
    case: &'a Case,
    world: &'w mut World<'a>,
    clients: Clients,
    reply: Option<ReplyKind>,
}

impl<'a, 'w> Player<'a, 'w> {
    /// Nobody has come yet.
    pub(super) fn new(case: &'a Case, world: &'w mut World<'a>) -> Self {
        Self { case, world, clients: Clients::default(), reply: None }
    }

    /// Plays all steps.
    ///
    /// # Errors
    /// Something in the file that cannot be, or a target that fails.
    pub(super) fn play(&mut self) -> Result<(), Fault> {
        for (index, step) in self.case.scenario.steps.iter().enumerate() {
            if !self.case.matches(&step.get_ref().when) {
                continue;
            }
            self.world.findings.at_step(index, step.span());
            if let Some(probe) = &mut self.world.probe {
                probe.steps.push(Done::default());
            }
            self.world.begin_step(plan(step.get_ref()));
            self.reply = None;
            self.repeat(step)?;
            self.world.end_step()?;
            let expect = step.get_ref().expect.as_ref();
            if expect.is_none_or(|expect| expect.dnsmasq_exit.is_none()) {
                self.world.report_exit();
            }
            if let Some(expect) = expect {
                let store = self.case.scenario.router.store;
                expect::check(self.world, &self.clients, self.reply, expect, store)?;
            }
            if self.world.probe.is_some() && self.world.findings.any() {
                break;
            }
        }
        Ok(())
    }

    fn repeat(&mut self, step: &'a Spanned<Step>) -> Result<(), Fault> {
        let (times, pause) = match step.get_ref().repeat {
            None => (1, 0),
            Some(Repeat::Times(times)) => (u64::from(times), 0),
            Some(Repeat::Every { every, until }) => (until.0 / every.0, every.0),
        };
        for turn in 0..times {
            self.world.pass(pause as i64)?;
            self.act(step)?;
            if turn + 1 < times && times <= 1_000 {
                self.world.look_between()?;
            }
        }
        Ok(())
    }

    fn act(&mut self, step: &'a Spanned<Step>) -> Result<(), Fault> {
        let span = step.span();
        let action = &step.get_ref().action;
        if needs_power(action) && !self.world.powered {
            if self.world.leave_out() {
                return Ok(());
            }
            return Err(self.fault(span, "the router is off: `boot` it first"));
        }
        if let Action::Client(_, event) | Action::Silence(event) = action
            && !self.clients.any(event.client.get_ref())
            && self.world.leave_out()
        {
            return Ok(());
        }
        match action {
            Action::Check => {}
            Action::Boot(boot) => self.boot(span, boot)?,
            Action::Shutdown => {
                self.world.stop_dnsmasq(Ending::Terminated)?;
                self.world.power_off()?;
            }
            Action::PowerCut => self.world.power_off()?,
            Action::Advance(seconds) => self.world.pass(seconds.0 as i64)?,
            Action::SetClock(moment) => {
                self.world.clocks.set(*moment);
                self.world.sync_clock()?;
            }
            Action::Ntp => {
                self.world.clocks.ntp();
                self.world.sync_clock()?;
            }
            Action::Drift(ppm) => self.world.clocks.drift(*ppm),
            Action::Dnsmasq(action) => self.dnsmasq(*action)?,
            Action::Join(join) => {
                for index in self.clients.join(self.case, span, join)? {
                    self.deed(ClientAction::Ask, index, None)?;
                }
            }
            Action::Client(message, event) => self.event(event, client_action(*message))?,
            Action::Silence(event) => {
                for index in self.clients.select(self.case, event)? {
                    self.clients.silence(index);
                }
            }
            Action::Journal(journal) => journal::replay(self.case, self.world, journal)?,
            Action::Call(call) => self.raw_call(span, call)?,
            Action::Nvram(commands) => self.other_program(&span, commands)?,
            Action::Damage(damage) => self.damage(damage)?,
        }
        Ok(())
    }

    fn other_program(
        &mut self,
        span: &Range<usize>,
        commands: &[Vec<String>],
    ) -> Result<(), Fault> {
        for command in commands {
            let words: Result<Vec<Vec<u8>>, String> =
                command.iter().map(|word| unescape(word)).collect();
            let words = words.map_err(|why| self.fault(span.clone(), why))?;
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            self.world.other_program(&words)?;
        }
        Ok(())
    }

    fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        self.case.error(span, message).into()
    }

    fn boot(&mut self, span: Range<usize>, boot: &Boot) -> Result<(), Fault> {
        if self.world.powered && (self.world.missed || self.world.probe.is_some()) {
            self.world.power_off()?;
            if let Some(probe) = &mut self.world.probe {
                probe.now().power_went_first = true;
            }
        }
        if self.world.powered {
            return Err(self.fault(span, "the router is on: `shutdown` or `power-cut` comes first"));
        }
        self.world.pass(boot.off.map_or(0, |off| off.0 as i64))?;
        if boot.rtc.is_some() || boot.lease_limit.is_some() {
            let build = boot.rtc.map_or(self.world.engine().build(), build_of);
            let limit = boot.lease_limit.or(self.case.scenario.server.lease_limit);
            let (engine, options) = configuration::engine(self.case, build, limit)?;
            self.world.server = Server::new(engine);
            self.world.options = options;
        }
        self.world.power_on(boot.clock.unwrap_or(self.case.scenario.router.clock));
        if boot.dnsmasq != Some(false) {
            self.world.start_dnsmasq()?;
        }
        Ok(())
    }

    fn dnsmasq(&mut self, action: DaemonAction) -> Result<(), Fault> {
        match action {
            DaemonAction::Start => self.world.start_dnsmasq()?,
            DaemonAction::Stop => self.world.stop_dnsmasq(Ending::Terminated)?,
            DaemonAction::Kill => self.world.stop_dnsmasq(Ending::Killed)?,
            DaemonAction::Sighup => self.world.sighup()?,
        }
        Ok(())
    }

    fn event(&mut self, event: &ClientEvent, deed: ClientAction) -> Result<(), Fault> {
        let address = match &event.address {
            Some(address) => Some(parse_address(self.case, address)?),
            None => None,
        };
        for index in self.clients.select(self.case, event)? {
            self.deed(deed, index, address)?;
        }
        Ok(())
    }

    fn deed(
        &mut self,
        deed: ClientAction,
        index: usize,
        address: Option<std::net::IpAddr>,
    ) -> Result<(), Fault> {
        if !self.world.powered {
            return Ok(());
        }
        let client = self.clients.get_mut(index);
        let mut calls = Vec::new();
        let clock = self.world.clocks.now();
        if let Some(recorder) = &mut self.world.recorder {
            let (client, clocks) = (client.clone(), self.world.clocks);
            recorder.events.push(Event { client, deed, address, clocks });
        }
        let real = self.world.exchange_live(client, deed, address)?;
        let outcome =
            exchange::perform(&mut self.world.server, client, deed, address, clock, &mut calls);
        if let Some(real) = real {
            self.world.compare_exchange(&real, outcome, client);
        }
        self.reply = Some(outcome);
        self.world.perform_all(calls)?;
        Ok(())
    }

    fn raw_call(&mut self, span: Range<usize>, raw: &RawCall) -> Result<(), Fault> {
        let mut argv = vec![b"script".to_vec()];
        for word in &raw.arguments {
            argv.push(unescape(word).map_err(|why| self.fault(span.clone(), why))?);
        }
        let mut call = ScriptCall { argv, ..ScriptCall::default() };
        for (name, value) in &raw.environment {
            let value = unescape(value).map_err(|why| self.fault(span.clone(), why))?;
            call.env.insert(name.clone(), value);
        }
        self.world.raw_call(&call)?;
        Ok(())
    }

    fn damage(&mut self, damage: &Damage) -> Result<(), Fault> {
        let span = damage.bytes.span();
        let digits: String = damage.bytes.get_ref().split([' ', ':']).collect();
        let bytes: Option<Vec<u8>> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
            .collect();
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
            return Err(self.fault(span, "the bytes are hex digits, two for each byte"));
        };
        let bytes = bytes.repeat(damage.repeat.unwrap_or(1) as usize);
        let machine = self.world.target.machine()?.into_owned();
        let damaged = match damage.memory {
            Memory::Flash => {
                let header = machine.nvram_offset();
                let mut flash = machine.flash_bytes().into_owned();
                overwrite(&mut flash, header as usize + damage.offset.0 as usize, &bytes)
                    .map_err(|why| self.fault(span, why))?;
                machine.with_contents(&flash, machine.ram_bytes().map(std::borrow::Cow::into_owned))
            }
            Memory::Ram => {
                let Some(mut ram) = machine.ram_bytes().map(std::borrow::Cow::into_owned) else {
                    return Err(self.fault(span, "there is nothing in RAM to be damaged"));
                };
                overwrite(&mut ram, damage.offset.0 as usize, &bytes)
                    .map_err(|why| self.fault(span.clone(), why))?;
                machine.with_contents(&machine.flash_bytes(), Some(ram))
            }
        };
        let span = damage.bytes.span();
        let damaged =
            damaged.ok_or_else(|| self.fault(span, "no machine can be in such a state"))?;
        self.world.target.replace(damaged)?;
        self.world.look_again()?;
        self.world.accept_store()?;
        Ok(())
    }
}

fn overwrite(memory: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), String> {
    let size = memory.len();
    let place = memory
        .get_mut(at..at.saturating_add(bytes.len()))
        .ok_or_else(|| format!("{} bytes at {at} reach beyond {size}", bytes.len()))?;
    place.copy_from_slice(bytes);
    Ok(())
}

/// The build that a scenario's word means.
pub fn build_of(rtc: Rtc) -> Build {
    match rtc {
        Rtc::Good => Build::Rtc,
        Rtc::Broken => Build::NoRtc,
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
    let disturbance =
        step.disturbance.clone().map(|disturbed| (disturbed.disturbance, disturbed.call.get()));
    StepPlan { disturbance, web_page: step.web_page }
}
