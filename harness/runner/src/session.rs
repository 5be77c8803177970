//! A run: the router, the judge, the observers and the comparison with a real dnsmasq, called in the right order.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::action::ClientAction;
use super::client_ids::ClientIds;
use super::clients::Client;
use super::comparison::{Comparison, MAX_UNEXPECTED_CALLS, NextCall};
use super::demands::ReadMethod;
use super::evidence::CallRecord;
use super::exchange;
use super::finding_kind::FindingKind;
use super::history::EventKind;
use super::judge::Judge;
use super::observers::Observers;
use super::pending_signals::PendingSignals;
use super::planned_fault::PlannedFault;
use super::recorder::{RecordedAction, Snapshot};
use super::router::{Power, Router};
use super::script::ScriptOrigin;
use super::severity::Severity;
use backend::{BackendError, CallEnd, CallOptions, CallResult, Disturbance, InProcess, RouterPath};
use dnsmasq_model::ScriptCall;
use scenario::{BootClock, ReplyKind};
use std::net::IpAddr;

const SIGSEGV: i32 = 11;

/// What happens around the calls of one step.
#[derive(Clone, Debug, Default)]
pub(super) struct StepPlan {
    /// The fault of one of its calls.
    pub(super) fault: Option<PlannedFault>,
    /// Whether a web page calls `init` during each of them.
    pub(super) web_page: bool,
}

/// The last script call, for expectations.
#[derive(Clone, Debug, Default)]
pub(super) struct LastCall {
    /// Its exit code; `None` if it was killed.
    pub(super) exit: Option<i32>,
    /// What the step's calls wrote to stderr.
    pub(super) stderr: Vec<u8>,
}

/// What has happened in the current step.
#[derive(Debug, Default)]
pub(super) struct Step {
    plan: StepPlan,
    /// Script calls so far.
    calls: u32,
    last: LastCall,
    /// Exit status of dnsmasq, if it exited without being stopped.
    pub(super) dnsmasq_exit: Option<i32>,
    /// A client named a server whose DUID the script was never told.
    named_unreported_server: bool,
}

/// Whether the planned faults of earlier steps have occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultsSoFar {
    /// All of them occurred.
    Occurred,
    /// One did not occur, so later steps of the file may not fit the state of the router.
    Missed,
}

/// A case while it is played.
pub(super) struct Session<'a> {
    pub(super) router: Router<'a>,
    pub(super) judge: Judge<'a>,
    pub(super) observers: Observers<'a>,
    pub(super) comparison: Comparison,
    pub(super) step: Step,
    /// Whether the scenario was written for another script.
    script: ScriptOrigin,
    /// The folders of `--dhcp-hostsdir` that dnsmasq watches.
    pub(super) watched: BTreeSet<String>,
    /// True time at the beginning, in seconds since 1970.
    began: i64,
    pub(super) faults: FaultsSoFar,
    /// Whether dnsmasq passed another value to the script instead of its DUID, as 2.66 and 2.67 do.
    misreported_duid: bool,
    /// Why the rest of the scenario cannot be played with this script.
    pub(super) unplayable: Option<String>,
    /// What the script has asked of dnsmasq.
    pub(super) signals: PendingSignals,
}

/// A call that is about to be made.
#[derive(Debug, Default)]
struct PreparedCall {
    plan: CallOptions,
    /// The flash before it, if a torn write is forgiven.
    flash_before: Option<Vec<u8>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        router: Router<'a>,
        judge: Judge<'a>,
        observers: Observers<'a>,
        ids: ClientIds,
        script: ScriptOrigin,
    ) -> Self {
        Self {
            script,
            began: router.clocks.truth(),
            router,
            judge,
            observers,
            comparison: Comparison::new(ids),
            step: Step::default(),
            watched: BTreeSet::new(),
            faults: FaultsSoFar::Occurred,
            misreported_duid: false,
            unplayable: None,
            signals: PendingSignals::default(),
        }
    }

    /// Where the script comes from.
    pub(super) fn script(&self) -> ScriptOrigin {
        self.script
    }

    /// How dnsmasq passes long client-ids.
    pub(super) fn client_ids(&self) -> ClientIds {
        self.comparison.ids
    }

    /// The last script call of the step.
    pub(super) fn last_call(&self) -> &LastCall {
        &self.step.last
    }

    /// Exit status of dnsmasq, if it exited in this step without being stopped.
    pub(super) fn dnsmasq_exit(&self) -> Option<i32> {
        self.step.dnsmasq_exit
    }

    /// Whether a client got no answer in this step because dnsmasq had lost its DUID without telling it to the script.
    pub(super) fn named_unreported_server(&self) -> bool {
        self.step.named_unreported_server
    }

    pub(super) fn begin_step(&mut self, plan: StepPlan) {
        self.observers.begin_step();
        self.step = Step { plan, ..Step::default() };
    }

    /// Ends a step. The judge reads the store with this method if something may have changed.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn end_step(&mut self, read_method: ReadMethod) -> Result<(), BackendError> {
        let fault = std::mem::take(&mut self.step.plan).fault;
        let occurred = fault.as_ref().is_some_and(PlannedFault::has_occurred);
        let calls = self.observers.step.calls;
        self.observers.update_outcome(|step| (step.fault_occurred, step.calls) = (occurred, calls));
        if let Some(fault) = fault.filter(|fault| !fault.has_occurred())
            && !self.observers.is_lenient()
        {
            if self.script == ScriptOrigin::Chosen {
                self.unplayable = Some(fault.missed());
            } else {
                self.judge.findings.add(FindingKind::Anomaly, fault.missed());
            }
            self.faults = FaultsSoFar::Missed;
        }
        self.check_store(read_method)
    }

    /// The judge reads the store with this method if the power is on and something may have changed.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn check_store(&mut self, read_method: ReadMethod) -> Result<(), BackendError> {
        self.pass_clock();
        self.judge.check_store(&mut self.router, self.comparison.ids, read_method)
    }

    /// Tells the back end what the router's clocks show.
    fn pass_clock(&mut self) {
        let clock = self.router.clocks.now();
        self.router.backend.set_clock(clock);
    }

    /// Adds an event to the history of the case.
    pub(super) fn record(&mut self, kind: EventKind) {
        let seconds = self.router.clocks.truth() - self.began;
        let failed = self.judge.findings.any_denied();
        self.observers.history.add(seconds, failed, kind);
    }

    pub(super) fn power_on(&mut self, clock: BootClock) {
        self.router.clocks.boot(clock);
        self.router.power = Power::On;
        self.record(EventKind::PowerOn);
        self.judge.power_on();
        self.observers.record_call(self.router.clocks.truth(), None);
    }

    /// Power is lost, between two events or during one.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn power_off(&mut self) -> Result<(), BackendError> {
        self.record(EventKind::PowerOff);
        self.power_down()?;
        self.judge.power_off(&mut self.router)
    }

    fn power_down(&mut self) -> Result<(), BackendError> {
        let engine = self.router.engine_mut();
        engine.kill();
        engine.lose_ram(|path| matches!(RouterPath::parse(path), Ok(RouterPath::Ram(_))));
        self.comparison.power_off();
        self.router.backend.power_off()?;
        self.router.power = Power::Off;
        Ok(())
    }

    /// A client acts: it sends its messages to the engine, and to the real dnsmasq if there is one. Returns the
    /// engine's reply.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn client_action(
        &mut self,
        client: &mut Client,
        action: ClientAction,
        address: Option<IpAddr>,
    ) -> Result<ReplyKind, BackendError> {
        let duid = self.router.engine().server_duid();
        let names_another = client.server.as_ref().is_some_and(|server| server != duid);
        self.step.named_unreported_server |= names_another && self.misreported_duid;
        let clock = self.router.clocks.now();
        let clocks = self.router.clocks;
        self.observers.record_action(|| RecordedAction {
            client: client.clone(),
            action,
            address,
            clocks,
        });
        let answer = self.comparison.exchange(&mut self.router, client, action, address)?;
        let mut calls = Vec::new();
        let server = &mut self.router.server;
        let was_running = server.engine().is_running();
        let reply = exchange::perform(server, client, action, address, clock, &mut calls);
        if was_running && !server.engine().is_running() {
            // A lease beyond the limit, in 2.60 to 2.64.
            self.step.dnsmasq_exit = Some(-SIGSEGV);
        }
        if let Some(answer) = answer {
            self.comparison.compare_answer(&mut self.judge.findings, &answer, reply, client);
        }
        self.record(EventKind::Client {
            name: client.name.clone(),
            action,
            reply,
            address: client.address,
        });
        self.perform_all(calls)?;
        Ok(reply)
    }

    /// Whether a real dnsmasq answers queries for a name; `None` where there is none.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn resolves(&mut self, name: &str) -> Result<Option<bool>, BackendError> {
        self.comparison.resolves(&mut self.router, name)
    }

    /// Makes the calls that dnsmasq queued. Those after a loss of power are never made.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn perform_all(&mut self, mut calls: Vec<ScriptCall>) -> Result<(), BackendError> {
        let mut rest = calls.as_mut_slice();
        while let [_, others @ ..] = rest {
            if !self.router.is_on() {
                break;
            }
            let others = others.len();
            self.perform(rest)?;
            let made = rest.len() - others;
            rest = &mut rest[made..];
        }
        self.handle_signals()?;
        self.wait_until_idle()
    }

    /// Makes the first of the calls that the engine's dnsmasq asks for, or waits until the real dnsmasq makes it, and judges
    /// it. `None` when the real one does not make it. Calls for neighbours, which come in the order of the kernel's table,
    /// may change places.
    pub(super) fn perform(
        &mut self,
        calls: &mut [ScriptCall],
    ) -> Result<Option<CallResult>, BackendError> {
        let [call, others @ ..] = calls else { return Ok(None) };
        self.misreported_duid |=
            call.env.contains_key("DNSMASQ_IAID") && !self.router.engine().reports_server_duid();
        let predicted = self.comparison.ids.apply(call);
        let prepared = self.prepare(&predicted)?;
        let (router, findings) = (&mut self.router, &mut self.judge.findings);
        let result = match self.comparison.next_call(
            router,
            findings,
            (&predicted, others),
            &prepared.plan,
        )? {
            NextCall::NoDaemon => router.backend.call(&predicted, &prepared.plan)?,
            NextCall::Made(result) => result,
            NextCall::MadeLater(result, index) => {
                std::mem::swap(call, &mut others[index]);
                result
            }
            NextCall::Missing => return Ok(None),
        };
        // The comparison may have changed how long ids are passed.
        let call = self.comparison.ids.apply(call);
        self.finish(&call, &result, prepared)?;
        Ok(Some(result))
    }

    /// Reports the calls that a real dnsmasq makes beyond the predicted ones, until it is idle.
    pub(super) fn wait_until_idle(&mut self) -> Result<(), BackendError> {
        if !self.router.is_on() || !self.router.engine().is_running() {
            return Ok(());
        }
        for _ in 0..MAX_UNEXPECTED_CALLS {
            let (router, findings) = (&mut self.router, &mut self.judge.findings);
            let Some((call, result)) = self.comparison.unexpected_call(router, findings)? else {
                break;
            };
            self.finish(&call, &result, PreparedCall::default())?;
        }
        self.comparison.compare_idle(&mut self.router, &mut self.judge.findings)
    }

    fn prepare(&mut self, call: &ScriptCall) -> Result<PreparedCall, BackendError> {
        self.step.calls += 1;
        if self.observers.log.is_some() {
            self.observers.files = self.router.backend.files()?;
        }
        self.pass_clock();
        self.take_snapshot(call);
        let fault = self.step.plan.fault.as_ref();
        let disturbance = fault.and_then(|fault| fault.of_call(self.step.calls)).cloned();
        let may_be_torn = match &disturbance {
            Some(Disturbance::Cut(point)) => {
                self.judge.forgives_torn_writes() && point.is_inside_flash_operation()
            }
            _ => false,
        };
        let flash_before = if may_be_torn {
            Some(self.router.machine()?.flash_bytes().into_owned())
        } else {
            None
        };
        let web_page = self.step.plan.web_page && call.action() != b"init";
        Ok(PreparedCall {
            plan: CallOptions { disturbance, web_page, record_files: false },
            flash_before,
        })
    }

    /// Counts a call that was made, and judges it.
    fn finish(
        &mut self,
        call: &ScriptCall,
        result: &CallResult,
        prepared: PreparedCall,
    ) -> Result<(), BackendError> {
        let record = Arc::new(CallRecord {
            call: call.clone(),
            result: result.clone(),
            disturbance: prepared.plan.disturbance.clone(),
        });
        self.observers.call(&record);
        if self.observers.log.is_some() {
            let files = self.router.backend.files()?;
            self.observers.files_after_call(&files);
        }
        self.judge.findings.called(&record);
        if result.lost_delayed_writes {
            self.judge.findings.limit_severity(Severity::Risk);
        }
        self.record(EventKind::Call(record));
        self.step.last.stderr.extend_from_slice(&result.stderr);
        self.step.last.exit = match result.end {
            CallEnd::Exited(code) => Some(code),
            _ => None,
        };
        let torn = match prepared.flash_before {
            Some(before) => *self.router.machine()?.flash_bytes() != *before,
            None => false,
        };
        if result.end == CallEnd::PowerLost {
            self.judge.interrupted_call(&self.router, call, result);
            self.power_down()?;
            if torn {
                self.judge.power_off_in_a_write(&mut self.router)?;
            } else {
                self.judge.power_off(&mut self.router)?;
            }
        } else {
            self.judge.completed_call(&mut self.router, call, result)?;
            self.signals_sent(call, result);
            if self.script == ScriptOrigin::Chosen && prepared.plan.disturbance.is_none() {
                self.judge.refused_call(&mut self.router, call, result)?;
            }
        }
        if prepared.plan.disturbance.is_some()
            && let Some(fault) = &mut self.step.plan.fault
        {
            fault.call_ended(result);
        }
        Ok(())
    }

    fn take_snapshot(&mut self, call: &ScriptCall) {
        if self.observers.record_call(self.router.clocks.truth(), Some(call)) {
            return;
        }
        let Some(recorder) = &mut self.observers.recorder else { return };
        let Some(target) = InProcess::downcast(self.router.backend) else { return };
        recorder.snapshots.push(Snapshot {
            target: target.clone(),
            expected: Arc::new(self.judge.expected().clone()),
            nvram: self.judge.nvram().clone(),
            tolerance: self.judge.tolerance(self.router.engine()),
            server: Arc::new(self.router.server.without_process()),
            clocks: self.router.clocks,
            call: Arc::new(call.clone()),
            event: recorder.events.len(),
            step: self.judge.findings.step(),
        });
    }

    /// Another program runs an `nvram` command.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn other_program(&mut self, words: &[&[u8]]) -> Result<(), BackendError> {
        let result = self.router.backend.nvram(words)?;
        self.observers.step.flash(&result.operations);
        self.record(EventKind::OtherProgram {
            arguments: words.iter().map(|word| word.to_vec()).collect(),
            code: result.code,
            operations: result.operations.clone(),
        });
        self.step.last.stderr.extend_from_slice(&result.stderr);
        self.judge.other_program(&mut self.router)
    }

    /// Makes a call that does not come from dnsmasq.
    ///
    /// # Errors
    /// When the back end fails.
    pub(super) fn foreign_call(&mut self, call: &ScriptCall) -> Result<(), BackendError> {
        self.pass_clock();
        let before = self.judge.init_output(&mut self.router)?;
        let prepared = self.prepare(call)?;
        let result = self.router.backend.call(call, &prepared.plan)?;
        self.finish(call, &result, prepared)?;
        if self.router.is_on() {
            self.judge.foreign_call(&mut self.router, call, &before)?;
        }
        Ok(())
    }
}
