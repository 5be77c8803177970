//! What each kind of step does.

use std::ops::Range;

use toml::Spanned;

use super::action::ClientAction;
use super::clients::{Clients, parse_address};
use super::configuration::{self, build_of};
use super::demands::Look;
use super::escapes::unescape;
use super::expect;
use super::fault::Fault;
use super::journal;
use super::planned_fault::PlannedFault;
use super::router::Ending;
use super::session::{FaultsSoFar, Session, StepPlan};
use backend::Disturbance;
use dnsmasq_model::ScriptCall;
use scenario::{Boot, Case, ClientEvent, DaemonAction, Damage, Memory, RawCall, ReplyKind, Step};

/// Runs the steps of a case.
pub(super) struct Player<'a, 'w> {
    case: &'a Case,
    session: &'w mut Session<'a>,
    clients: Clients,
    reply: Option<ReplyKind>,
}

impl<'a, 'w> Player<'a, 'w> {
    /// Nobody has come yet.
    pub(super) fn new(case: &'a Case, session: &'w mut Session<'a>) -> Self {
        Self { case, session, clients: Clients::default(), reply: None }
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
            self.session.judge.findings.at_step(index, step.span());
            self.session.begin_step(plan(step.get_ref()));
            self.reply = None;
            self.repeat(step)?;
            let expect = step.get_ref().expect.as_ref();
            self.session.end_step(expect.map_or(Look::Records, expect::look))?;
            if expect.is_none_or(|expect| expect.dnsmasq_exit.is_none()) {
                self.session.report_failed_start();
            }
            if let Some(expect) = expect {
                let store = self.case.scenario.router.store;
                expect::check(self.session, &self.clients, self.reply, expect, store)?;
            }
            if self.session.observers.is_lenient() && self.session.judge.findings.any() {
                break;
            }
        }
        Ok(self.session.check_store(Look::Init)?)
    }

    fn repeat(&mut self, step: &'a Spanned<Step>) -> Result<(), Fault> {
        let one = step.get_ref();
        let (times, pause) = match (one.every, one.until) {
            (Some(every), Some(until)) => (until.0 / every.0, every.0),
            _ => (u64::from(one.times.unwrap_or(1)), 0),
        };
        for turn in 0..times {
            self.session.pass(pause as i64)?;
            self.act(step)?;
            if turn + 1 < times && times <= 1_000 {
                self.session.check_store(Look::Records)?;
            }
        }
        Ok(())
    }

    fn act(&mut self, step: &'a Spanned<Step>) -> Result<(), Fault> {
        let span = step.span();
        let step = step.get_ref();
        let on = self.session.router.is_on();
        let needs_power = step.boot.is_none()
            && step.advance.is_none()
            && step.damage.is_none()
            && step.silence.is_none()
            && !step.verbs().is_empty();
        if needs_power && !on {
            if self.session.observers.skip() {
                return Ok(());
            }
            return Err(self.fault(span, "the router is off: `boot` it first"));
        }
        if let Some(boot) = &step.boot {
            self.boot(span.clone(), boot)?;
        }
        if step.shutdown.is_some() {
            self.session.stop_dnsmasq(Ending::Terminated)?;
            self.session.power_off()?;
        }
        if step.power_cut.is_some() {
            self.session.power_off()?;
        }
        if let Some(seconds) = step.advance {
            self.session.pass(seconds.0 as i64)?;
        }
        if let Some(moment) = step.set_clock {
            self.session.router.clocks.set(moment);
            self.session.sync_clock()?;
        }
        if step.ntp.is_some() {
            self.session.router.clocks.ntp();
            self.session.sync_clock()?;
        }
        if let Some(ppm) = step.drift {
            self.session.router.clocks.drift(ppm);
        }
        if let Some(action) = step.dnsmasq {
            self.dnsmasq(action)?;
        }
        if let Some(join) = &step.join {
            let indices = self.clients.join(self.case, span.clone(), join)?;
            for index in indices {
                self.client_action(ClientAction::Ask, index, None)?;
            }
        }
        for (event, action) in [
            (&step.request, ClientAction::Ask),
            (&step.renew, ClientAction::Renew),
            (&step.rebind, ClientAction::Rebind),
            (&step.init_reboot, ClientAction::InitReboot),
            (&step.rename, ClientAction::Renew),
            (&step.inform, ClientAction::Inform),
            (&step.release, ClientAction::Release),
            (&step.decline, ClientAction::Decline),
        ] {
            if let Some(event) = event {
                if !self.clients.any(event.client.get_ref()) && self.session.observers.skip() {
                    return Ok(());
                }
                self.event(event, action)?;
            }
        }
        if let Some(event) = &step.silence {
            if !self.clients.any(event.client.get_ref()) && self.session.observers.skip() {
                return Ok(());
            }
            for index in self.clients.select(self.case, event)? {
                self.clients.silence(index);
            }
        }
        if let Some(journal) = &step.journal {
            journal::replay(self.case, self.session, journal)?;
        }
        if let Some(call) = &step.call {
            self.raw_call(span.clone(), call)?;
        }
        for command in step.nvram.iter().flatten() {
            let words: Result<Vec<Vec<u8>>, String> =
                command.iter().map(|word| unescape(word)).collect();
            let words = words.map_err(|why| self.fault(span.clone(), why))?;
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            self.session.other_program(&words)?;
        }
        if let Some(damage) = &step.damage {
            self.damage(damage)?;
        }
        Ok(())
    }

    fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Fault {
        self.case.error(span, message).into()
    }

    fn boot(&mut self, span: Range<usize>, boot: &Boot) -> Result<(), Fault> {
        if self.session.router.is_on()
            && (self.session.faults == FaultsSoFar::Missed || self.session.observers.is_lenient())
        {
            self.session.power_off()?;
            self.session.observers.note(|step| step.power_cut_first = true);
        }
        if self.session.router.is_on() {
            return Err(self.fault(span, "the router is on: `shutdown` or `power-cut` comes first"));
        }
        self.session.pass(boot.off.map_or(0, |off| off.0 as i64))?;
        if boot.rtc.is_some() || boot.lease_limit.is_some() {
            let build = boot.rtc.map_or(self.session.router.engine().build(), build_of);
            let limit = boot.lease_limit.or(self.case.scenario.server.lease_limit);
            let (engine, options) = configuration::engine(self.case, build, limit)?;
            self.session.router.configure(engine, options);
        }
        self.session.power_on(boot.clock.unwrap_or(self.case.scenario.router.clock));
        if boot.dnsmasq != Some(false) {
            self.session.start_dnsmasq()?;
        }
        Ok(())
    }

    fn dnsmasq(&mut self, action: DaemonAction) -> Result<(), Fault> {
        match action {
            DaemonAction::Start => self.session.start_dnsmasq()?,
            DaemonAction::Stop => self.session.stop_dnsmasq(Ending::Terminated)?,
            DaemonAction::Kill => self.session.stop_dnsmasq(Ending::Killed)?,
            DaemonAction::Sighup => self.session.sighup()?,
        }
        Ok(())
    }

    fn event(&mut self, event: &ClientEvent, action: ClientAction) -> Result<(), Fault> {
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
        address: Option<std::net::IpAddr>,
    ) -> Result<(), Fault> {
        if !self.session.router.is_on() {
            return Ok(());
        }
        let client = self.clients.get_mut(index);
        self.reply = Some(self.session.client_action(client, action, address)?);
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
        self.session.foreign_call(&call)?;
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
        let machine = self.session.router.machine()?.into_owned();
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
        self.session.router.backend.replace(damaged)?;
        self.session.judge.damaged(&mut self.session.router)?;
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

fn plan(step: &Step) -> StepPlan {
    let disturbance = step
        .cut
        .clone()
        .map(Disturbance::Cut)
        .or(step.kill.clone().map(Disturbance::Kill))
        .or(step.fail.clone().map(Disturbance::Fail));
    let call = step.at_call.unwrap_or(1);
    StepPlan {
        fault: disturbance.map(|disturbance| PlannedFault::new(disturbance, call)),
        web_page: step.web_page.is_some(),
    }
}
