//! The calls after a loss of power: `init`, the restart of dnsmasq, and the first events.

use std::sync::Arc;

use super::boot_result::BootResult;
use super::call_position::{CallPosition, RunPhase};
use super::explorer::Explorer;
use super::search_task::SearchTask;
use dnsmasq_model::{InitResult, InitStatus, ScriptCall, Server};
use runner::Severity;
use runner::exchange;
use runner::nvram_state::NvramState;
use runner::recorder::Snapshot;

/// How many events of the scenario follow a recovery.
const FOLLOW_UP_EVENTS: usize = 2;

/// Makes the call of a snapshot. Receives its number since the boot; returns whether the recovery continues.
pub(super) type Visitor<'v> = dyn FnMut(&mut Snapshot, u32, RunPhase) -> bool + 'v;

/// A recovery in progress.
struct Recovery<'r> {
    now: Snapshot,
    server: Server,
    ordinal: u32,
    visitor: &'r mut Visitor<'r>,
}

impl Recovery<'_> {
    /// Makes calls; `None` ends the recovery.
    fn make_calls(&mut self, calls: Vec<ScriptCall>, phase: RunPhase) -> Option<()> {
        self.now.server = Arc::new(self.server.without_process());
        for call in calls {
            self.ordinal += 1;
            self.now.call = Arc::new(call);
            (self.visitor)(&mut self.now, self.ordinal, phase).then_some(())?;
        }
        Some(())
    }

    /// Lets time pass until `end` on the monotonic clock.
    fn advance_to(&mut self, end: i64) {
        let clocks = &mut self.now.clocks;
        clocks.pass((end - clocks.mono()).max(0));
    }
}

impl Explorer<'_> {
    /// Boots, and hands `init`, the calls of the restart and those of the first events to `visitor`. `powered_off` is
    /// the router when its power was cut, `boot` the result of booting it.
    pub(super) fn recover<'v>(
        &self,
        powered_off: Snapshot,
        boot: &BootResult,
        visitor: &'v mut Visitor<'v>,
    ) -> Option<()> {
        let cut_at = powered_off.clocks.truth();
        let mut server = Server::clone(&powered_off.server);
        server.forget_declined();
        let init = server.engine().init_call()?;
        let mut recovery = Recovery { now: powered_off, server, ordinal: 0, visitor };
        recovery.now.clocks.boot(self.case.scenario.router.clock);
        recovery.make_calls(vec![init], RunPhase::Recovery)?;
        let result = InitResult {
            stdout: boot.output.stdout.clone(),
            status: InitStatus::Code(boot.output.exit),
        };
        let (clock, mut calls) = (recovery.now.clocks.now(), Vec::new());
        recovery.server.engine_mut().start(clock, &result, &mut calls).ok()?;
        recovery.make_calls(calls, RunPhase::Recovery)?;
        let events = &self.recording.recorder.events;
        let first = recovery.now.event;
        for (index, event) in events.iter().enumerate().skip(first).take(FOLLOW_UP_EVENTS) {
            recovery.now.event = index + 1;
            let clocks = &recovery.now.clocks;
            let pause = (event.clocks.truth() - cut_at.max(clocks.truth())).max(0);
            let end = clocks.mono() + pause;
            let next_alarm = |recovery: &Recovery<'_>| {
                recovery.server.engine().next_alarm().filter(|alarm| *alarm <= end)
            };
            while let Some(alarm) = next_alarm(&recovery) {
                recovery.advance_to(alarm);
                let (clock, mut calls) = (recovery.now.clocks.now(), Vec::new());
                recovery.server.engine_mut().sigalrm(clock, &mut calls);
                recovery.make_calls(calls, RunPhase::FollowUp)?;
            }
            recovery.advance_to(end);
            let (clock, mut calls) = (recovery.now.clocks.now(), Vec::new());
            let mut client = event.client.clone();
            let (action, address) = (event.action, event.address);
            let server = &mut recovery.server;
            exchange::perform(server, &mut client, action, address, clock, &mut calls);
            recovery.make_calls(calls, RunPhase::FollowUp)?;
        }
        Some(())
    }

    /// Makes the call of a snapshot without a fault.
    pub(super) fn call_undisturbed(&self, snapshot: &mut Snapshot) {
        let trace = snapshot.target.trace_call(&snapshot.call);
        let position = CallPosition {
            faults: &[],
            ordinal: 1,
            phase: RunPhase::Undisturbed,
            depth: 1,
            highest: Severity::Bug,
        };
        self.finish_call(snapshot, &trace, position, &mut SearchTask::default());
    }
}

/// Updates a snapshot after a boot: RAM equals flash, and the leases that `init` printed are the expected ones.
pub(super) fn apply_boot(snapshot: &mut Snapshot, boot: &BootResult) {
    snapshot.target.boot(boot.load.as_ref());
    snapshot.expected = Arc::clone(&boot.output.leases);
    snapshot.nvram = NvramState::booted(boot.contents.clone());
}
