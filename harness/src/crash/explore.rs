//! The search: every point of every call, and of what follows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rayon::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use super::Verdict;
use super::check::{Found, Wanted};
use super::digest;
use super::kind::Kind;
use super::report::{Breach, Report};
use super::schedule::{Id, Stop, Strike};
use crate::dnsmasq::{InitResult, InitStatus, ScriptCall};
use crate::run::neighbours::Views;
use crate::run::record::Moment;
use crate::run::store::{Expected, changes};
use crate::run::{Fault, Recording, exchange, lines, record};
use crate::scenario::{Case, Invariant, Side};
use crate::target::{Function, InProcess, Trail, TrailStep};
use nvram_emu::device::{Op, OpKind};

/// How many events of the scenario follow a recovery.
const FIRST_EVENTS: usize = 2;

/// How the known states are divided, so that threads seldom wait for each other.
const SHELVES: usize = 64;

/// How deep, and how fine.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many strikes in a row.
    pub depth: u32,
    /// Whether operations are torn at every byte, not at the first, the last and powers of two.
    pub every_byte: bool,
    /// Whether a known state is looked at again.
    pub repeat: bool,
    /// Whether to keep every cut with its verdict.
    pub list: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { depth: 2, every_byte: false, repeat: false, list: false }
    }
}

/// Explores a case in process; `script` in place of the scenario's own. The reason, where its script is
/// no function.
///
/// # Errors
/// A scenario that cannot be run.
pub fn explore(
    case: &Case,
    script: Option<Function>,
    options: Options,
) -> Result<Result<Report, String>, Fault> {
    let recording = match record(case, script)? {
        Ok(recording) => recording,
        Err(why) => return Ok(Err(why)),
    };
    let explorer = Explorer::new(case, &recording, options);
    let moments = &recording.recorder.moments;
    let parts: Vec<Report> =
        (0..moments.len()).into_par_iter().map(|index| explorer.moment(index)).collect();
    let mut report = Report::default();
    for part in parts {
        report.add(part);
    }
    let (first, last) = recording.recorder.truth;
    report.window.simulated = Duration::from_secs(u64::try_from(last - first).unwrap_or(0));
    Ok(Ok(report))
}

/// Where in a story a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// In the undisturbed run.
    First,
    /// In the restart after a cut.
    Recovery,
    /// In the first events after that, or after a kill.
    Afterwards,
}

/// A call of the search.
#[derive(Clone, Copy, Debug)]
struct Place<'p> {
    /// The strikes that led here.
    stops: &'p [Stop],
    /// Number of the call since the last of them, from 1.
    ordinal: u32,
    stage: Stage,
    /// How many strikes are left.
    depth: u32,
}

impl Place<'_> {
    fn schedule(&self, strike: Strike) -> Vec<Stop> {
        let mut stops = self.stops.to_vec();
        stops.push(Stop { call: self.ordinal, strike });
        stops
    }
}

/// What all points of one call have in common.
struct Scene<'s> {
    moment: &'s Moment,
    place: Place<'s>,
    /// The neighbours before the call.
    neighbours: u64,
    sure: u64,
    doubted: Expected,
    doubt: u64,
}

/// A router without power.
struct Dark<'d> {
    strike: Strike,
    kind: Kind,
    router: InProcess,
    flash: u128,
    expected: &'d Expected,
    expected_key: u64,
    torn: bool,
}

pub(super) struct Explorer<'e> {
    pub(super) case: &'e Case,
    pub(super) recording: &'e Recording,
    options: Options,
    seen: Vec<Mutex<HashSet<u128>>>,
}

impl<'e> Explorer<'e> {
    pub(super) fn new(case: &'e Case, recording: &'e Recording, options: Options) -> Self {
        let seen = (0..SHELVES).map(|_| Mutex::default()).collect();
        Self { case, recording, options, seen }
    }

    /// Explores one call of the undisturbed run.
    fn moment(&self, index: usize) -> Report {
        let began = processor_time();
        let moments = &self.recording.recorder.moments;
        let mut report = Report::default();
        let place = Place {
            stops: &[],
            ordinal: index as u32 + 1,
            stage: Stage::First,
            depth: self.options.depth,
        };
        let next = moments.get(index + 1).map(|moment| &moment.call);
        self.call(&moments[index], place, next, &mut report);
        report.took = processor_time().saturating_sub(began);
        report
    }

    /// Strikes at every point of a call; returns the world after the call undisturbed.
    fn call(
        &self,
        moment: &Moment,
        place: Place<'_>,
        next: Option<&ScriptCall>,
        report: &mut Report,
    ) -> Moment {
        let mut after = moment.clone();
        let trail = after.target.trail(&moment.call);
        let mut doubted = moment.expected.clone();
        doubted.in_doubt(changes(&moment.call));
        let scene = Scene {
            moment,
            place,
            neighbours: self.neighbours(&moment.views),
            sure: digest::of(&moment.expected),
            doubt: digest::of(&doubted),
            doubted,
        };
        let mut flash = flash_digest(&moment.target);
        self.cut(
            &scene,
            Dark {
                strike: Strike::Between,
                kind: Kind::Between,
                router: moment.target.rebooted_with(None),
                flash,
                expected: &moment.expected,
                expected_key: scene.sure,
                torn: false,
            },
            report,
        );
        for (index, step) in trail.steps.iter().enumerate() {
            let nth = index as u32 + 1;
            let cut = |side, kind, router: &InProcess, flash| Dark {
                strike: Strike::Cut(side, nth),
                kind,
                router: router.rebooted_with(None),
                flash,
                expected: &scene.doubted,
                expected_key: scene.doubt,
                torn: false,
            };
            self.cut(&scene, cut(Side::Before, Kind::BeforeCommand, &step.before, flash), report);
            self.kill(&scene, (Side::Before, nth), &step.before, next, report);
            if !step.operations.is_empty() {
                if place.stage == Stage::First {
                    report.window.commits += 1;
                    report.window.open += duration(&step.after, &step.operations);
                }
                self.operations(&scene, nth, step, report);
                flash = flash_digest(&step.after);
            }
            self.cut(&scene, cut(Side::After, Kind::AfterCommand, &step.after, flash), report);
            self.kill(&scene, (Side::After, nth), &step.after, next, report);
        }
        self.finish(&mut after, &trail, place, report);
        let ended = Dark {
            strike: Strike::Ended,
            kind: Kind::Between,
            router: after.target.rebooted_with(None),
            flash,
            expected: &after.expected,
            expected_key: digest::of(&after.expected),
            torn: false,
        };
        self.cut(&scene, ended, report);
        after
    }

    /// The points before, inside and after each flash operation of a command.
    fn operations(&self, scene: &Scene<'_>, nth: u32, step: &TrailStep, report: &mut Report) {
        let (before, after) = (flash_digest(&step.before), flash_digest(&step.after));
        for (op, operation) in step.operations.iter().enumerate() {
            let base = step.before.cut_in(&step.arguments, op as u64, 0);
            let done = step.before.cut_in(&step.arguments, op as u64, operation.len);
            let done = done.board().flash_bytes();
            let from = operation.offset as usize;
            for byte in self.bytes(operation.len) {
                // An operation goes from its first byte to its last.
                let part = &done[from..from + byte as usize];
                let router = base.rebooted_with(Some((operation.offset, part)));
                let flash = flash_digest(&router);
                let kind = match operation.kind {
                    _ if byte == 0 => Kind::BeforeOperation,
                    _ if byte == operation.len => Kind::AfterOperation,
                    OpKind::Erase => Kind::TornErase,
                    OpKind::Program => Kind::TornProgram,
                };
                let dark = Dark {
                    strike: Strike::Within { nth, op: op as u32, byte },
                    kind,
                    router,
                    flash,
                    expected: &scene.doubted,
                    expected_key: scene.doubt,
                    torn: flash != before && flash != after,
                };
                self.cut(scene, dark, report);
            }
        }
    }

    fn bytes(&self, length: u32) -> Vec<u32> {
        if self.options.every_byte {
            return (0..=length).collect();
        }
        let powers = (0..u32::BITS).map(|bit| 1_u32 << bit).take_while(|byte| *byte < length);
        let mut bytes: Vec<u32> =
            [0].into_iter().chain(powers).chain([length.saturating_sub(1), length]).collect();
        bytes.sort_unstable();
        bytes.dedup();
        bytes
    }

    /// Power has gone: boots, judges, and goes on from there.
    fn cut(&self, scene: &Scene<'_>, dark: Dark<'_>, report: &mut Report) {
        let moment = scene.moment;
        let place = (moment.event, moment.clocks.truth(), scene.place.depth);
        let key = u128::from(digest::of(&(dark.expected_key, scene.neighbours, place)));
        let distinct = self.is_new(dark.flash ^ (key << 64 | key).rotate_left(11));
        report.point(&kinds(dark.kind, scene.place.stage), distinct);
        if !distinct && !self.options.repeat {
            return;
        }
        let wanted = self.wanted(moment, dark.expected);
        let found = Found::check(&dark.router, &wanted);
        let schedule = scene.place.schedule(dark.strike);
        report.checked += 1;
        let verdict = verdict(&found.broken, dark.torn);
        self.list(&schedule, verdict, report);
        if verdict == Verdict::Broken {
            let breaches = found.broken.iter().map(|i| (*i, found.explain(*i, &wanted))).collect();
            self.broken(breaches, moment, &schedule, report);
        } else if found.broken.is_empty() {
            report.kept += 1;
        } else {
            report.lost += 1;
        }
        if scene.place.depth > 1 && distinct {
            let mut dark = Moment { target: dark.router, ..moment.clone() };
            rebooted(&mut dark, found);
            let depth = scene.place.depth - 1;
            self.recover(dark, &mut |moment, ordinal, stage| {
                let place = Place { stops: &schedule, ordinal, stage, depth };
                Some(self.call(moment, place, None, report))
            });
        }
    }

    /// The script was killed, power stayed: power may go now, or the next call comes.
    fn kill(
        &self,
        scene: &Scene<'_>,
        (side, nth): (Side, u32),
        router: &InProcess,
        next: Option<&ScriptCall>,
        report: &mut Report,
    ) {
        let moment = scene.moment;
        if moment.call.action() == b"init" {
            // Then dnsmasq does not start; a start is what a cut ends in, too.
            return;
        }
        let next = next.filter(|next| next.action() != b"init").unwrap_or(&moment.call);
        let kind = match side {
            Side::Before => Kind::KillBefore,
            Side::After => Kind::KillAfter,
        };
        let ram = router.board().ram_bytes().map(|bytes| digest::of_bytes(&bytes));
        let clock = moment.clocks.now();
        let place =
            (moment.event, clock.wall, clock.mono, scene.place.depth, &next.argv, &next.env);
        let rest = (scene.doubt, scene.neighbours, ram, router.marker(), place);
        let key = u128::from(digest::of(&rest));
        let distinct = self.is_new(flash_digest(router) ^ (key << 64 | key).rotate_left(23));
        report.point(&kinds(kind, scene.place.stage), distinct);
        if !distinct && !self.options.repeat {
            return;
        }
        let schedule = scene.place.schedule(Strike::Kill(side, nth));
        let wanted = self.wanted(moment, &scene.doubted);
        let found = Found::check(&router.rebooted_with(None), &wanted);
        report.checked += 1;
        self.list(&schedule, verdict(&found.broken, false), report);
        if found.broken.is_empty() {
            report.kept += 1;
        } else {
            let breaches = found.broken.iter().map(|i| (*i, found.explain(*i, &wanted))).collect();
            self.broken(breaches, moment, &schedule, report);
        }
        let later = Moment {
            target: router.clone(),
            expected: scene.doubted.clone(),
            views: Arc::new(Views::of(router.board())),
            call: next.clone(),
            ..moment.clone()
        };
        if scene.place.depth > 1 && distinct {
            let depth = scene.place.depth - 1;
            let place = Place { stops: &schedule, ordinal: 1, stage: Stage::Afterwards, depth };
            self.call(&later, place, None, report);
        }
    }

    /// The world after an undisturbed call.
    fn finish(&self, after: &mut Moment, trail: &Trail, place: Place<'_>, report: &mut Report) {
        let wanted = changes(&after.call);
        let reading = |word: &[u8]| matches!(word, b"get" | b"show" | b"info");
        let wrote =
            trail.steps.iter().any(|step| !step.arguments.first().is_some_and(|w| reading(w)));
        if wrote {
            let now = Views::of(after.target.board());
            let saved = after.views.ram == after.views.flash && now.flash == after.views.flash;
            let operations = trail.steps.iter().map(|step| step.operations.len()).sum::<usize>();
            // A script killed between `commit` and its end cannot know that it is done: one commit too many.
            let owed = matches!(place.stops, [.., Stop { strike: Strike::Kill(..), .. }]);
            if saved && operations > 0 && !owed && place.stage != Stage::First {
                let text = format!("{operations} flash operations, and nothing stored changed");
                let breach = vec![(Invariant::Thrift, text)];
                self.broken(breach, after, &place.schedule(Strike::Ended), report);
            }
            after.views = Arc::new(now);
        }
        if trail.outcome.exit != 0 {
            after.expected.in_doubt(wanted);
            return;
        }
        let acknowledges = !wanted.is_empty();
        after.expected.acknowledged(wanted);
        if acknowledges && after.expected.is_in_doubt() {
            // The contract: this call has made good what an earlier one had left.
            let (outcome, _) = after.target.read_init();
            let actual = lines::read(&outcome.stdout).unwrap_or_default();
            after.expected.settle(&actual);
        }
    }

    /// Boot, `init`, the restart's calls and the first events: each call is made by `visit`, which gives the
    /// world after it, or `None` to end.
    pub(super) fn recover(
        &self,
        mut now: Moment,
        visit: &mut dyn FnMut(&Moment, u32, Stage) -> Option<Moment>,
    ) -> Option<()> {
        let cut_at = now.clocks.truth();
        now.server.engine_mut().kill();
        now.server.forget();
        now.clocks.boot(self.case.scenario.router.clock);
        now.call = now.server.engine().init_call()?;
        let (init, _) = now.target.read_init();
        let mut ordinal = 1;
        now = visit(&now, ordinal, Stage::Recovery)?;
        let result = InitResult { stdout: init.stdout, status: InitStatus::Code(init.exit) };
        let mut calls = Vec::new();
        let clock = now.clocks.now();
        now.server.engine_mut().start(clock, &result, &mut calls).ok()?;
        let mut make = |now: &mut Moment, calls: Vec<ScriptCall>, stage| {
            for call in calls {
                ordinal += 1;
                now.call = call;
                *now = visit(now, ordinal, stage)?;
            }
            Some(())
        };
        make(&mut now, calls, Stage::Recovery)?;
        let events = &self.recording.recorder.events;
        let first = now.event;
        for (index, event) in events.iter().enumerate().skip(first).take(FIRST_EVENTS) {
            now.event = index + 1;
            let end =
                now.clocks.mono() + (event.clocks.truth() - cut_at.max(now.clocks.truth())).max(0);
            while let Some(alarm) = now.server.engine().next_alarm().filter(|alarm| *alarm <= end) {
                let pause = (alarm - now.clocks.mono()).max(0);
                now.clocks.pass(pause);
                let (clock, mut calls) = (now.clocks.now(), Vec::new());
                now.server.engine_mut().sigalrm(clock, &mut calls);
                make(&mut now, calls, Stage::Afterwards)?;
            }
            let pause = (end - now.clocks.mono()).max(0);
            now.clocks.pass(pause);
            let (clock, mut calls) = (now.clocks.now(), Vec::new());
            let mut client = event.client.clone();
            exchange::perform(
                &mut now.server,
                &mut client,
                event.deed,
                event.address,
                clock,
                &mut calls,
            );
            make(&mut now, calls, Stage::Afterwards)?;
        }
        Some(())
    }

    /// The world after a call that nothing strikes.
    pub(super) fn undisturbed(&self, moment: &Moment) -> Moment {
        let mut after = moment.clone();
        let trail = after.target.trail(&moment.call);
        let place = Place { stops: &[], ordinal: 1, stage: Stage::First, depth: 1 };
        self.finish(&mut after, &trail, place, &mut Report::default());
        after
    }

    pub(super) fn wanted<'w>(&'w self, moment: &'w Moment, expected: &'w Expected) -> Wanted<'w> {
        Wanted {
            expected,
            views: &moment.views,
            tolerance: moment.tolerance,
            prefix: &self.recording.prefix,
        }
    }

    fn broken(
        &self,
        breaches: Vec<(Invariant, String)>,
        moment: &Moment,
        schedule: &[Stop],
        report: &mut Report,
    ) {
        let declared = |invariant: Invariant| {
            let breaks = &self.case.scenario.breaks;
            breaks.iter().any(|b| b.invariant == invariant && self.case.matches(&b.when))
        };
        if breaches.iter().all(|(invariant, _)| declared(*invariant)) {
            report.declared += 1;
            return;
        }
        report.broken += 1;
        for (invariant, text) in breaches.into_iter().filter(|(i, _)| !declared(*i)) {
            let id = Id::new(self.case, schedule);
            report.breach(Breach { invariant, text, step: moment.step, id });
        }
    }

    fn list(&self, schedule: &[Stop], verdict: Verdict, report: &mut Report) {
        if self.options.list {
            report.listed.push((Id::new(self.case, schedule), verdict));
        }
    }

    fn is_new(&self, key: u128) -> bool {
        let shelf = &self.seen[(key >> 100) as usize % SHELVES];
        shelf.lock().unwrap_or_else(PoisonError::into_inner).insert(key)
    }

    fn neighbours(&self, views: &Views) -> u64 {
        let others = |variables: &crate::run::neighbours::Variables| {
            let own = |name: &&Vec<u8>| name.starts_with(&self.recording.prefix);
            let others =
                variables.iter().filter(|(name, _)| !own(name)).map(|pair| digest::of(&pair));
            others.fold(0_u64, |sum, one| sum.rotate_left(7) ^ one)
        };
        let flash = others(&views.flash);
        if views.ram == views.flash { flash } else { digest::of(&(flash, others(&views.ram))) }
    }
}

/// What a boot makes of the world: RAM is what flash was, and nothing is owed.
pub(super) fn rebooted(moment: &mut Moment, found: Found) {
    moment.expected = Expected::known(found.lines);
    moment.views = Arc::new(Views { ram: found.variables.clone(), flash: found.variables });
}

/// The verdict over a boot that found these invariants broken.
pub(super) fn verdict(broken: &[Invariant], torn: bool) -> Verdict {
    match broken {
        [] => Verdict::Kept,
        // Whatever is stored, what init prints must be leases.
        [..] if torn && !broken.contains(&Invariant::Parsability) => Verdict::Lost,
        [..] => Verdict::Broken,
    }
}

pub(super) fn flash_digest(router: &InProcess) -> u128 {
    digest::of_bytes(&router.board().flash_bytes())
}

fn kinds(kind: Kind, stage: Stage) -> Vec<Kind> {
    match stage {
        Stage::First => vec![kind],
        Stage::Recovery => vec![kind, Kind::Recovery],
        Stage::Afterwards => vec![kind, Kind::Afterwards],
    }
}

fn duration(router: &InProcess, operations: &[Op]) -> Duration {
    let chip = router.board().flash().chip();
    let time = |op: &Op| match op.kind {
        OpKind::Erase => chip.erase_time,
        OpKind::Program => chip.program_time(op.offset, op.len),
    };
    operations.iter().map(time).sum()
}

/// What this thread has had of a processor so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
