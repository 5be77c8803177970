//! What follows a loss of power: boot, restart, the first events.

use std::sync::Arc;

use super::boot::Boot;
use super::explore::{Explorer, Place, Stage};
use super::part::Part;
use dnsmasq_model::{InitResult, InitStatus, ScriptCall, Server};
use runner::exchange;
use runner::nvram_state::NvramState;
use runner::recorder::Snapshot;

/// How many events of the scenario follow a recovery.
const FIRST_EVENTS: usize = 2;

/// Makes a call, or ends the story with `false`: told its number since the boot.
pub(super) type Visit<'v> = dyn FnMut(&mut Snapshot, u32, Stage) -> bool + 'v;

/// A boot under way.
struct Restart<'r> {
    now: Snapshot,
    server: Server,
    ordinal: u32,
    visit: &'r mut Visit<'r>,
}

impl Restart<'_> {
    fn make(&mut self, calls: Vec<ScriptCall>, stage: Stage) -> Option<()> {
        self.now.server = Arc::new(self.server.without_process());
        for call in calls {
            self.ordinal += 1;
            self.now.call = Arc::new(call);
            (self.visit)(&mut self.now, self.ordinal, stage).then_some(())?;
        }
        Some(())
    }
}

impl Explorer<'_> {
    /// Boot, `init`, the restart's calls and the first events; each call is made by `visit`. `dark` is the router
    /// when its power went, `boot` what `init` will print.
    pub(super) fn recover<'v>(
        &self,
        dark: Snapshot,
        boot: &Boot,
        visit: &'v mut Visit<'v>,
    ) -> Option<()> {
        let cut_at = dark.clocks.truth();
        let mut server = Server::clone(&dark.server);
        server.forget_declined();
        let init = server.engine().init_call()?;
        let mut restart = Restart { now: dark, server, ordinal: 0, visit };
        restart.now.clocks.boot(self.case.scenario.router.clock);
        restart.make(vec![init], Stage::Recovery)?;
        let result = InitResult {
            stdout: boot.output.stdout.clone(),
            status: InitStatus::Code(boot.output.exit),
        };
        let (clock, mut calls) = (restart.now.clocks.now(), Vec::new());
        restart.server.engine_mut().start(clock, &result, &mut calls).ok()?;
        restart.make(calls, Stage::Recovery)?;
        let events = &self.recording.recorder.events;
        let first = restart.now.event;
        for (index, event) in events.iter().enumerate().skip(first).take(FIRST_EVENTS) {
            restart.now.event = index + 1;
            let clocks = &restart.now.clocks;
            let pause = (event.clocks.truth() - cut_at.max(clocks.truth())).max(0);
            let end = clocks.mono() + pause;
            let alarm = |restart: &Restart<'_>| restart.server.engine().next_alarm();
            while let Some(alarm) = alarm(&restart).filter(|alarm| *alarm <= end) {
                restart.pass(alarm);
                let (clock, mut calls) = (restart.now.clocks.now(), Vec::new());
                restart.server.engine_mut().sigalrm(clock, &mut calls);
                restart.make(calls, Stage::Afterwards)?;
            }
            restart.pass(end);
            let (clock, mut calls) = (restart.now.clocks.now(), Vec::new());
            let mut client = event.client.clone();
            let (action, address) = (event.action, event.address);
            exchange::perform(&mut restart.server, &mut client, action, address, clock, &mut calls);
            restart.make(calls, Stage::Afterwards)?;
        }
        Some(())
    }

    /// A call that nothing strikes.
    pub(super) fn undisturbed(&self, moment: &mut Snapshot) {
        let trail = moment.target.trail(&moment.call);
        let place = Place { stops: &[], ordinal: 1, stage: Stage::First, depth: 1 };
        self.finish(moment, &trail, place, &mut Part::default());
    }
}

impl Restart<'_> {
    /// Time passes until `end` on the monotonic clock.
    fn pass(&mut self, end: i64) {
        let clocks = &mut self.now.clocks;
        clocks.pass((end - clocks.mono()).max(0));
    }
}

/// What a boot makes of the world: RAM is what flash was, and nothing is owed.
pub(super) fn rebooted(moment: &mut Snapshot, boot: &Boot) {
    moment.target.wake(boot.load.as_ref());
    moment.expected = Arc::clone(&boot.output.leases);
    moment.nvram = NvramState::booted(boot.contents.clone());
}
