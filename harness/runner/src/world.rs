//! A router under way: its clocks, its dnsmasq, its target, and the judge who looks on.

mod judge;
mod live;

use std::borrow::Cow;
use std::sync::Arc;

use crate::clocks::Clocks;
use crate::findings::{FindingKind, Findings};
use crate::lenient_log::LenientLog;
use crate::lines::{self, Lines};
use crate::neighbours::NvramState;
use crate::record::{Recorder, Snapshot, TimedCall};
use crate::store::{Expected, changes};
use crate::tally::{Tally, call_text};
use backend::{Backend, BackendError, CallEnd, CallOptions, CallResult, Disturbance, InProcess};
use dnsmasq_model::{Engine, InitResult, InitStatus, ScriptCall, Server};
use live::Next;
use scenario::{BootClock, Invariant};

/// What strikes the calls of one step.
#[derive(Clone, Debug, Default)]
pub(super) struct StepPlan {
    /// What strikes, and which call of the step, from 1.
    pub(super) disturbance: Option<(Disturbance, u32)>,
    /// Whether a web page looks on.
    pub(super) web_page: bool,
}

/// The last script call, for expectations.
#[derive(Clone, Debug, Default)]
pub(super) struct LastCall {
    /// Its exit code, if it ended by itself.
    pub(super) exit: Option<i32>,
    /// What the step's calls said on stderr.
    pub(super) stderr: Vec<u8>,
}

/// The router and its judge.
pub(super) struct World<'a> {
    pub(super) target: &'a mut dyn Backend,
    pub(super) server: Server,
    pub(super) clocks: Clocks,
    pub(super) powered: bool,
    pub(super) findings: Findings<'a>,
    pub(super) prefix: Vec<u8>,
    slack: u64,
    expected: Expected,
    views: NvramState,
    /// What `init` printed when it was last looked at.
    stored: Lines,
    /// Whether something happened since then that may have changed it.
    dirty: bool,
    /// Whether dnsmasq may rightly know other leases than the store holds, until its next start.
    apart: bool,
    /// Whether the flash was damaged while the power was off: the next `init` shows what is left.
    damaged: bool,
    /// Whether somebody else changed what is stored: the next boot shows what is left.
    meddled: bool,
    /// Whether a write was torn, and no commit has succeeded since: a tool that reads beyond what is left may find
    /// other things with each command.
    torn: bool,
    /// Whether power that goes inside a flash operation may cost everything.
    pub(super) torn_may_lose: bool,
    /// Whether the call after a killed or failed one may commit though nothing changed.
    pub(super) commit_may_repeat: bool,
    /// Whether a call was killed or failed, and none has ended well since.
    unfinished: bool,
    plan: StepPlan,
    struck: bool,
    /// Whether a disturbance did not strike: what follows in the file may not fit any more.
    pub(super) missed: bool,
    calls_of_step: u32,
    pub(super) step: Tally,
    pub(super) total: Tally,
    pub(super) last: LastCall,
    /// How dnsmasq ended by itself in this step.
    pub(super) dnsmasq_exit: Option<i32>,
    /// Has a line for each script call, where they are wanted.
    pub(super) log: Option<&'a mut Vec<String>>,
    /// Keeps the moments before script calls, for explorers.
    pub(super) recorder: Option<&'a mut Recorder>,
    /// Told what was done, where a run does not insist on all of it.
    pub(super) probe: Option<&'a mut LenientLog>,
    /// dnsmasq's command line.
    pub(super) options: Vec<String>,
    /// Whether the real dnsmasq has gone where the engine's has not.
    lost: bool,
    /// Whether dnsmasq tells no more than 100 bytes of an id ([`ScriptCall::truncate_ids`]).
    pub(super) cuts_ids: bool,
    /// Whether the scenario says which.
    pub(super) fixed_ids: bool,
    /// Whether the real dnsmasq is of the other kind.
    pub(super) other_ids: bool,
}

/// What a call meets.
#[derive(Debug, Default)]
struct PreparedCall {
    plan: CallOptions,
    /// The flash before, where it may be torn.
    whole: Option<Vec<u8>>,
}

/// How dnsmasq alone ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By SIGTERM.
    Terminated,
    /// By SIGKILL.
    Killed,
}

impl<'a> World<'a> {
    /// A router that is switched off.
    ///
    /// # Errors
    /// When the target cannot be looked at.
    pub(super) fn new(
        target: &'a mut dyn Backend,
        (engine, options): (Engine, Vec<String>),
        clocks: Clocks,
        findings: Findings<'a>,
        prefix: Vec<u8>,
        slack: u64,
    ) -> Result<Self, BackendError> {
        let views = NvramState::of(target.machine()?.as_ref(), &prefix, None);
        let records =
            lines::of_records(NvramState::leases(views.flash.variables(), &prefix), &prefix);
        Ok(Self {
            target,
            server: Server::new(engine),
            clocks,
            powered: false,
            findings,
            prefix,
            slack,
            expected: Expected::known(records),
            views,
            stored: Lines::new(),
            dirty: false,
            apart: false,
            damaged: false,
            meddled: false,
            torn: false,
            torn_may_lose: false,
            commit_may_repeat: false,
            unfinished: false,
            plan: StepPlan::default(),
            struck: false,
            missed: false,
            calls_of_step: 0,
            step: Tally::default(),
            total: Tally::default(),
            last: LastCall::default(),
            dnsmasq_exit: None,
            log: None,
            recorder: None,
            probe: None,
            options,
            lost: false,
            cuts_ids: false,
            fixed_ids: false,
            other_ids: false,
        })
    }

    /// dnsmasq.
    pub(super) fn engine(&self) -> &Engine {
        self.server.engine()
    }

    /// dnsmasq, to start, stop and signal it.
    pub(super) fn engine_mut(&mut self) -> &mut Engine {
        self.server.engine_mut()
    }

    /// Seeds what the server draws at random; each start draws on.
    pub(super) fn seed(&mut self, seed: u64) {
        self.server.seed(seed);
    }

    /// A new step begins.
    pub(super) fn begin_step(&mut self, plan: StepPlan) {
        self.total.add(&self.step);
        self.step = Tally::default();
        self.last = LastCall::default();
        self.dnsmasq_exit = None;
        self.plan = plan;
        self.struck = false;
        self.calls_of_step = 0;
    }

    /// A step has ended: the judge looks at what is stored.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn end_step(&mut self) -> Result<(), BackendError> {
        if let Some(probe) = &mut self.probe {
            probe.now().struck = self.struck;
            probe.now().calls = self.step.calls;
        } else if let Some((disturbance, call)) = &self.plan.disturbance
            && !self.struck
        {
            let text =
                format!("`{disturbance}` did not strike: call {call} never came to that point");
            self.findings.add(FindingKind::Astray, text);
            self.missed = true;
        }
        self.plan = StepPlan::default();
        if self.powered { self.look_at_store() } else { Ok(()) }
    }

    /// Whether a step that cannot be done may be left out; it is written down that it was.
    pub(super) fn leave_out(&mut self) -> bool {
        if let Some(probe) = &mut self.probe {
            probe.now().left_out = true;
        }
        self.probe.is_some()
    }

    /// The leases that `init` prints.
    pub(super) fn stored(&self) -> &Lines {
        &self.stored
    }

    /// Both views of the NVRAM, as they were after the last command.
    pub(super) fn views(&self) -> &NvramState {
        &self.views
    }

    /// Power on.
    pub(super) fn power_on(&mut self, clock: BootClock) {
        self.clocks.boot(clock);
        self.powered = true;
        self.dirty = true;
        self.note_call(None);
    }

    /// Power goes, between two events or in the middle of one.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn power_off(&mut self) -> Result<(), BackendError> {
        let now = self.power_down()?;
        // What the next boot finds in RAM is what is in flash.
        self.judge_neighbours(&NvramState {
            ram: self.views.ram.clone(),
            flash: now.flash.clone(),
        });
        self.views = NvramState::booted(now.flash);
        Ok(())
    }

    /// Power goes inside a flash operation of a store that has one copy.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn power_off_in_a_write(&mut self) -> Result<(), BackendError> {
        let now = self.power_down()?;
        self.views = NvramState::booted(now.flash);
        self.damaged = true;
        self.torn = true;
        Ok(())
    }

    fn power_down(&mut self) -> Result<NvramState, BackendError> {
        self.engine_mut().kill();
        self.lost = false;
        self.target.power_off()?;
        self.powered = false;
        self.unfinished = false;
        self.look()
    }

    /// dnsmasq starts: `init`, then what it makes of it.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn start_dnsmasq(&mut self) -> Result<(), BackendError> {
        let Some(init) = self.engine().init_call() else { return Ok(()) };
        self.start_live()?;
        let Some(result) = self.perform(&init)? else { return Ok(()) };
        let code = match result.end {
            CallEnd::Exited(code) => code as u8,
            CallEnd::PowerLost => return Ok(()),
            CallEnd::Killed(signal) => 128 + signal as u8,
            CallEnd::TimedOut => 128 + 9,
        };
        if code == 0 {
            self.judge_init(&result.stdout, Invariant::Durability);
        } else {
            let text = format!("init exited with {code}");
            self.findings.broken(Invariant::Parsability, text);
        }
        self.apart = false;
        let init = InitResult { stdout: result.stdout, status: InitStatus::Code(code) };
        let mut calls = Vec::new();
        let clock = self.clocks.now();
        self.server.forget_declined();
        match self.server.engine_mut().start(clock, &init, &mut calls) {
            Ok(()) => {
                self.perform_all(calls)?;
                self.ask_names()
            }
            Err(failure) => {
                self.dnsmasq_exit = Some(failure.status());
                self.end_live(failure.status())
            }
        }
    }

    /// Lets time pass, with the alarms that fall due.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn pass(&mut self, seconds: i64) -> Result<(), BackendError> {
        if !self.powered {
            self.clocks.pass_off(seconds);
            return Ok(());
        }
        let end = self.clocks.mono() + seconds;
        while let Some(alarm) = self.engine().next_alarm().filter(|alarm| *alarm <= end) {
            self.clocks.pass((alarm - self.clocks.mono()).max(0));
            let mut calls = Vec::new();
            let clock = self.clocks.now();
            self.engine_mut().sigalrm(clock, &mut calls);
            self.sync_clock()?;
            self.wake_live()?;
            self.perform_all(calls)?;
            if !self.powered {
                return Ok(());
            }
        }
        self.clocks.pass(end - self.clocks.mono());
        self.sync_clock()?;
        self.rest()
    }

    /// SIGHUP.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn sighup(&mut self) -> Result<(), BackendError> {
        let mut calls = Vec::new();
        let clock = self.clocks.now();
        self.engine_mut().sighup(clock, &mut calls);
        self.hang_up_live()?;
        self.perform_all(calls)
    }

    /// dnsmasq ends, the power stays.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn stop_dnsmasq(&mut self, ending: Ending) -> Result<(), BackendError> {
        let ran = self.engine().is_running();
        match ending {
            Ending::Terminated => self.engine_mut().stop(),
            Ending::Killed => self.engine_mut().kill(),
        }
        if ran { self.stop_live(ending) } else { Ok(()) }
    }

    /// Makes the calls that dnsmasq queued; what comes after a power cut is lost.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn perform_all(&mut self, calls: Vec<ScriptCall>) -> Result<(), BackendError> {
        for call in calls {
            if !self.powered {
                break;
            }
            self.perform(&call)?;
        }
        self.rest()
    }

    /// Makes one call that the engine's dnsmasq asks for, and judges it; below a real dnsmasq, waits for it.
    /// `None` when it never comes.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn perform(
        &mut self,
        call: &ScriptCall,
    ) -> Result<Option<CallResult>, BackendError> {
        let call = self.told(call);
        let bout = self.before(&call)?;
        let result = match self.next_live(&call, &bout.plan)? {
            Next::NotLive => self.target.call(&call, &bout.plan)?,
            Next::Came(result) => result,
            Next::Never => return Ok(None),
        };
        // What came may have shown how it tells long ids.
        let call = self.told(&call);
        self.after(&call, &result, bout)?;
        Ok(Some(result))
    }

    /// A call as this dnsmasq puts it into words.
    fn told<'c>(&self, call: &'c ScriptCall) -> Cow<'c, ScriptCall> {
        let mut call = Cow::Borrowed(call);
        if self.cuts_ids {
            call.to_mut().truncate_ids();
        }
        call
    }

    /// Makes one call that is not dnsmasq's, and judges it.
    ///
    /// # Errors
    /// When the target fails.
    fn perform_directly(&mut self, call: &ScriptCall) -> Result<(), BackendError> {
        let bout = self.before(call)?;
        let result = self.target.call(call, &bout.plan)?;
        self.after(call, &result, bout)
    }

    /// What strikes this call.
    fn before(&mut self, call: &ScriptCall) -> Result<PreparedCall, BackendError> {
        self.calls_of_step += 1;
        self.keep_moment(call);
        let disturbance = self
            .plan
            .disturbance
            .as_ref()
            .filter(|(_, nth)| *nth == self.calls_of_step)
            .map(|(disturbance, _)| disturbance.clone());
        let whole = self.flash_to_be_torn(disturbance.as_ref())?;
        let web_page = self.plan.web_page && call.action() != b"init";
        Ok(PreparedCall {
            plan: CallOptions { disturbance, web_page, record_ram_files: false },
            whole,
        })
    }

    /// Counts a call and judges it.
    fn after(
        &mut self,
        call: &ScriptCall,
        result: &CallResult,
        bout: PreparedCall,
    ) -> Result<(), BackendError> {
        let PreparedCall { plan: CallOptions { disturbance: struck, .. }, whole } = bout;
        self.step.call(call, result);
        if let Some(log) = &mut self.log {
            log.push(format!("{:<9} {}", end_text(result.end), call_text(call)));
        }
        self.last.stderr.extend_from_slice(&result.stderr);
        self.last.exit = match result.end {
            CallEnd::Exited(code) => Some(code),
            _ => None,
        };
        let torn = match whole {
            Some(whole) => *self.target.machine()?.flash_bytes() != *whole,
            None => false,
        };
        self.judge_call(call, result, torn)?;
        if let Some(disturbance) = struck {
            self.struck |= match disturbance {
                Disturbance::Cut(_) => result.end == CallEnd::PowerLost,
                Disturbance::Kill(_) => matches!(result.end, CallEnd::Killed(_)),
                Disturbance::Fail(word) => {
                    result.commands.iter().any(|c| c.first() == Some(&word.clone().into_bytes()))
                }
            };
        }
        Ok(())
    }

    /// Whether a recorder wants the calls alone; then it has this one now.
    fn note_call(&mut self, call: Option<&ScriptCall>) -> bool {
        let Some(calls) = self.recorder.as_mut().and_then(|r| r.calls.as_mut()) else {
            return false;
        };
        calls.push(TimedCall { truth: self.clocks.truth(), call: call.cloned() });
        true
    }

    /// The flash as it is, where it is about to be torn and that may cost everything.
    fn flash_to_be_torn(
        &mut self,
        disturbance: Option<&Disturbance>,
    ) -> Result<Option<Vec<u8>>, BackendError> {
        match disturbance {
            Some(Disturbance::Cut(point))
                if self.torn_may_lose && point.is_inside_flash_operation() =>
            {
                Ok(Some(self.target.machine()?.flash_bytes().into_owned()))
            }
            _ => Ok(None),
        }
    }

    fn keep_moment(&mut self, call: &ScriptCall) {
        if self.note_call(Some(call)) {
            return;
        }
        let tolerance = self.tolerance();
        let (Some(recorder), Some(target)) = (&mut self.recorder, InProcess::downcast(self.target))
        else {
            return;
        };
        recorder.moments.push(Snapshot {
            target: target.clone(),
            expected: Arc::new(self.expected.clone()),
            views: self.views.clone(),
            tolerance,
            server: Arc::new(self.server.without_process()),
            clocks: self.clocks,
            call: Arc::new(call.clone()),
            event: recorder.events.len(),
            step: self.findings.step(),
        });
    }

    /// Another program's `nvram` command.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn other_program(&mut self, words: &[&[u8]]) -> Result<(), BackendError> {
        let result = self.target.nvram(words)?;
        self.step.flash(&result.operations);
        self.last.stderr.extend_from_slice(&result.stderr);
        let before = self.views.clone();
        self.look_again()?;
        if self.torn || !before.keeps_records(&self.views) {
            // No fault of the script's: a tool that is full loses variables without a word, and one that dies over
            // damaged ones leaves a copy behind that can be read again.
            self.accept_store()?;
        }
        Ok(())
    }

    /// RAM or flash changed by no doing of the script's.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn look_again(&mut self) -> Result<(), BackendError> {
        self.views = self.look()?;
        self.dirty = true;
        Ok(())
    }

    /// Both views of the NVRAM as they are.
    fn look(&mut self) -> Result<NvramState, BackendError> {
        Ok(NvramState::of(self.target.machine()?.as_ref(), &self.prefix, Some(&self.views)))
    }

    /// A call that is not dnsmasq's: the store may change for its address, and for nobody else's.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn raw_call(&mut self, call: &ScriptCall) -> Result<(), BackendError> {
        let before = self.init_output()?;
        self.perform_directly(call)?;
        if !self.powered {
            return Ok(());
        }
        let address = call.argv.get(3).cloned().unwrap_or_default();
        let after = self.init_output()?;
        if changes(call).is_empty() {
            if before != after {
                let text = format!("`{}` changed leases", call_text(call));
                self.findings.broken(Invariant::Atomicity, text);
            }
            return Ok(());
        }
        let others = |lines: &Lines| lines.without(&[&address, lines::DUID]);
        if others(&before) != others(&after) {
            let text = format!("`{}` changed other leases", call_text(call));
            self.findings.broken(Invariant::Atomicity, text);
        }
        self.apart = true;
        let wanted: Vec<_> = changes(call).into_iter().map(|(subject, _)| subject).collect();
        self.expected.accept(&wanted, &after);
        Ok(())
    }

    /// Between two turns of a repeated step.
    ///
    /// # Errors
    /// When the target fails.
    pub(super) fn look_between(&mut self) -> Result<(), BackendError> {
        if self.powered { self.look_at_store() } else { Ok(()) }
    }
}

/// How a call ended, in one word.
pub(super) fn end_text(end: CallEnd) -> String {
    match end {
        CallEnd::Exited(code) => format!("exit {code}"),
        CallEnd::Killed(signal) => format!("signal {signal}"),
        CallEnd::PowerLost => "power off".to_owned(),
        CallEnd::TimedOut => "hung".to_owned(),
    }
}
