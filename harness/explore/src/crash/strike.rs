//! One call, struck at each of its points.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Verdict;
use super::boot::Boot;
use super::explore::{Explorer, Place, Stage, call_key, doubt};
use super::kind::Kind;
use super::part::{Outcome, Part};
use super::recover::rebooted;
use backend::{CommandSnapshot, InProcess};
use dnsmasq_model::ScriptCall;
use nvram_emu::device::{Op, OpKind};
use runner::expected::{Expected, changes};
use runner::recorder::Snapshot;
use scenario::FaultPoint;
use scenario::digest;
use scenario::{Invariant, Side};

/// What all points of one call have in common.
struct Scene<'s> {
    /// Before the call.
    moment: &'s Snapshot,
    place: Place<'s>,
    /// What must be stored while the call is under way.
    doubted: Arc<Expected>,
    /// A fingerprint of the neighbours, and of the place in the story.
    key: u64,
}

impl<'s> Scene<'s> {
    fn of(moment: &'s Snapshot, place: Place<'s>) -> Self {
        let mut doubted = Arc::clone(&moment.expected);
        doubt(&mut doubted, changes(&moment.call));
        let key = digest::of(&(
            (moment.nvram.flash.neighbours(), moment.nvram.ram.neighbours()),
            (moment.event, moment.clocks.truth(), moment.server.random_state()),
            place.depth,
        ));
        Self { moment, place, doubted, key }
    }
}

/// What follows a kill.
#[derive(Clone, Copy)]
struct AfterKill<'k> {
    /// The call that follows the one that is killed.
    next: Option<&'k Arc<ScriptCall>>,
    /// A fingerprint of the call that the kill leads to, apart from flash and RAM.
    key: u64,
    /// How many commands that takes, where it is known to read only.
    commands: Option<u32>,
}

/// A loss of power.
struct Loss<'l> {
    strike: FaultPoint,
    kind: Kind,
    /// The flash that it leaves.
    flash: u128,
    expected: &'l Expected,
    torn: bool,
}

impl Explorer<'_> {
    /// Strikes at every point of a call, then makes it undisturbed.
    pub(super) fn call(
        &self,
        moment: &mut Snapshot,
        place: Place<'_>,
        next: Option<&Arc<ScriptCall>>,
        part: &mut Part,
    ) {
        let before = moment.clone();
        let trail = moment.target.trail(&moment.call);
        let scene = Scene::of(&before, place);
        let kill_key = kill_key(&scene, next);
        self.between(&scene, part);
        // Beside a command that only reads nothing changes: the same state as just before.
        let mut last = None;
        for (index, step) in trail.steps.iter().enumerate() {
            let nth = index as u32 + 1;
            let mut beside = |side, router: &Arc<InProcess>, part: &mut Part| {
                let known = last.is_some_and(|last| std::ptr::eq(last, Arc::as_ptr(router)));
                last = Some(Arc::as_ptr(router));
                let after = AfterKill { next, key: kill_key, commands: None };
                self.beside(&scene, (side, nth), router, after, known, part);
            };
            beside(Side::Before, &step.before, part);
            if !step.operations.is_empty() {
                if place.stage == Stage::First {
                    part.window.commits += 1;
                    part.window.open += duration(&step.after, &step.operations);
                }
                self.operations(&scene, nth, step, part);
            }
            beside(Side::After, &step.after, part);
        }
        if let Some(outcome) = self.finish(moment, &trail, place, part) {
            part.unstruck(outcome);
        }
        let ended = Loss {
            strike: FaultPoint::Ended,
            kind: Kind::Between,
            flash: moment.target.board().flash().fingerprint(),
            expected: &moment.expected,
            torn: false,
        };
        self.cut(&scene, &ended, part, || moment.target.rebooted());
    }

    /// A call that takes so many commands and only reads: the same at all its points.
    fn quiet_call(&self, moment: &Snapshot, place: Place<'_>, commands: u32, part: &mut Part) {
        let scene = Scene::of(moment, place);
        self.between(&scene, part);
        let after = AfterKill { next: None, key: kill_key(&scene, None), commands: Some(commands) };
        let (stage, others) = (place.stage, u64::from(commands).saturating_sub(1));
        if commands > 0 {
            self.beside(&scene, (Side::Before, 1), &moment.target, after, false, part);
        }
        for (kind, points) in [
            (Kind::BeforeCommand, others),
            (Kind::KillBefore, others),
            (Kind::AfterCommand, u64::from(commands)),
            (Kind::KillAfter, u64::from(commands)),
            (Kind::Between, 1),
        ] {
            part.again(kind, stage, points);
        }
    }

    /// Power goes just before a call.
    fn between(&self, scene: &Scene<'_>, part: &mut Part) {
        let router = &scene.moment.target;
        let between = Loss {
            strike: FaultPoint::Between,
            kind: Kind::Between,
            flash: router.board().flash().fingerprint(),
            expected: &scene.moment.expected,
            torn: false,
        };
        self.cut(scene, &between, part, || router.rebooted());
    }

    /// The two points on one side of a command: power goes, or the script is killed.
    fn beside(
        &self,
        scene: &Scene<'_>,
        (side, nth): (Side, u32),
        router: &InProcess,
        after: AfterKill<'_>,
        known: bool,
        part: &mut Part,
    ) {
        let (cut, kill) = match side {
            Side::Before => (Kind::BeforeCommand, Kind::KillBefore),
            Side::After => (Kind::AfterCommand, Kind::KillAfter),
        };
        if known && !self.options.repeat {
            part.again(cut, scene.place.stage, 1);
            part.again(kill, scene.place.stage, 1);
            return;
        }
        let loss = Loss {
            strike: FaultPoint::Cut(side, nth),
            kind: cut,
            flash: router.board().flash().fingerprint(),
            expected: &scene.doubted,
            torn: false,
        };
        self.cut(scene, &loss, part, || router.rebooted());
        self.kill(scene, (side, nth, kill), router, after, part);
    }

    /// The points before, inside and after each flash operation of a command.
    fn operations(&self, scene: &Scene<'_>, nth: u32, step: &CommandSnapshot, part: &mut Part) {
        let ends =
            (step.before.board().flash().fingerprint(), step.after.board().flash().fingerprint());
        let flashes = step.flashes.iter().chain([step.after.board().flash()]);
        let pairs = step.flashes.iter().zip(flashes.skip(1)).zip(&step.operations);
        for (op, ((before, after), operation)) in pairs.enumerate() {
            let known = digest::of(&(after.fingerprint(), operation.offset, operation.len, ends));
            let known = digest::join(digest::join(before.fingerprint(), known), scene.key);
            let fresh = part.tears(digest::join(known, scene.doubted.key()));
            let points = self.bytes(operation.len);
            if !fresh && !self.options.repeat {
                for byte in points {
                    part.again(kind_of(operation, byte), scene.place.stage, 1);
                }
                continue;
            }
            let start = operation.offset;
            // An operation goes from its first byte to its last.
            let mut router = step.before.rebooted_with(before);
            let mut torn_to = 0;
            for byte in points {
                router.flash_mut().overwrite_from(after, start + torn_to, start + byte);
                torn_to = byte;
                let flash = router.board().flash().fingerprint();
                let loss = Loss {
                    strike: FaultPoint::Within { nth, op: op as u32, byte },
                    kind: kind_of(operation, byte),
                    flash,
                    expected: &scene.doubted,
                    torn: flash != ends.0 && flash != ends.1,
                };
                self.cut(scene, &loss, part, || router.clone());
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
    fn cut(
        &self,
        scene: &Scene<'_>,
        loss: &Loss<'_>,
        part: &mut Part,
        router: impl FnOnce() -> InProcess,
    ) {
        let &Loss { strike, kind, flash, expected, torn } = loss;
        let (moment, place) = (scene.moment, scene.place);
        let state = digest::join(digest::join(flash, expected.key()), scene.key);
        let distinct = part.point(kind, place.stage, state);
        if !distinct && !self.options.repeat {
            return;
        }
        let router = router();
        let boot = self.boot(flash, || Cow::Borrowed(&router), part);
        let outcome = self.judge(scene, &boot, (strike, expected, torn));
        self.note(scene, state, (kind, strike), outcome, part);
        // What a boot makes of the flash is the same whatever had to be there.
        let start = digest::join(flash, scene.key);
        if place.depth > 1 && distinct && part.goes_on(start) {
            let mut dark = Snapshot { target: router, ..moment.clone() };
            rebooted(&mut dark, &boot);
            let (schedule, depth) = (place.schedule(strike), place.depth - 1);
            self.recover(dark, &boot, &mut |moment, ordinal, stage| {
                let place = Place { stops: &schedule, ordinal, stage, depth };
                let first = stage == Stage::Recovery && ordinal == 1 && !self.options.repeat;
                match boot.commands.filter(|_| first) {
                    Some(commands) => self.quiet_call(moment, place, commands, part),
                    None => self.call(moment, place, None, part),
                }
                true
            });
        }
    }

    /// The script was killed, power stayed: power may go now, or the next call comes.
    fn kill(
        &self,
        scene: &Scene<'_>,
        (side, nth, kind): (Side, u32, Kind),
        router: &InProcess,
        after: AfterKill<'_>,
        part: &mut Part,
    ) {
        let (moment, place) = (scene.moment, scene.place);
        let flash = router.board().flash().fingerprint();
        // Where power goes next anyway, RAM makes no difference.
        let ram = if place.depth > 1 { router.ram_key() } else { 0 };
        let state = digest::join(digest::join(flash, ram), after.key);
        let distinct = part.point(kind, place.stage, state);
        if !distinct && !self.options.repeat {
            return;
        }
        let strike = FaultPoint::Kill(side, nth);
        let boot = self.boot(flash, || Cow::Owned(router.rebooted()), part);
        let outcome = self.judge(scene, &boot, (strike, &scene.doubted, false));
        self.note(scene, state, (kind, strike), outcome, part);
        if place.depth > 1 && distinct {
            let prefix = &self.recording.prefix;
            let mut later = Snapshot {
                nvram: super::boot::views_of(router, prefix, &moment.nvram),
                target: router.clone(),
                expected: Arc::clone(&scene.doubted),
                call: Arc::clone(after_kill(moment, after.next)),
                ..moment.clone()
            };
            let (schedule, depth) = (place.schedule(strike), place.depth - 1);
            let place = Place { stops: &schedule, ordinal: 1, stage: Stage::Afterwards, depth };
            match after.commands {
                Some(commands) => self.quiet_call(&later, place, commands, part),
                None => self.call(&mut later, place, None, part),
            }
        }
    }

    pub(super) fn boot<'r>(
        &self,
        flash: u128,
        router: impl FnOnce() -> Cow<'r, InProcess>,
        part: &mut Part,
    ) -> Arc<Boot> {
        let prefix = &self.recording.prefix;
        part.boot(flash, self.options, |known| Boot::of(&router(), prefix, known))
    }

    fn judge(
        &self,
        scene: &Scene<'_>,
        boot: &Boot,
        (strike, expected, torn): (FaultPoint, &Expected, bool),
    ) -> Outcome {
        let wanted = self.wanted(scene.moment, expected);
        let broken = boot.judge(&wanted);
        match verdict(&broken, torn) {
            Verdict::Kept => Outcome::Kept,
            Verdict::Lost => Outcome::Lost,
            Verdict::Broken => {
                let breaches = broken.iter().map(|i| (*i, boot.explain(*i, &wanted))).collect();
                self.broken(breaches, scene.moment, &scene.place.schedule(strike))
            }
        }
    }

    fn note(
        &self,
        scene: &Scene<'_>,
        state: u128,
        (kind, strike): (Kind, FaultPoint),
        outcome: Outcome,
        part: &mut Part,
    ) {
        let schedule = || self.options.list.then(|| scene.place.schedule(strike));
        part.judged(state, (kind, scene.place.stage), outcome, schedule);
    }
}

/// The kind of a point inside an operation.
fn kind_of(operation: &Op, byte: u32) -> Kind {
    match operation.kind {
        _ if byte == 0 => Kind::BeforeOperation,
        _ if byte == operation.len => Kind::AfterOperation,
        OpKind::Erase => Kind::TornErase,
        OpKind::Program => Kind::TornProgram,
    }
}

/// The call that follows a kill: the next one, or the same again where dnsmasq had to start anew.
pub(super) fn after_kill<'c>(
    moment: &'c Snapshot,
    next: Option<&'c Arc<ScriptCall>>,
) -> &'c Arc<ScriptCall> {
    let starts = |call: &ScriptCall| call.action() == b"init";
    next.filter(|next| !starts(next) && !starts(&moment.call)).unwrap_or(&moment.call)
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

fn duration(router: &InProcess, operations: &[Op]) -> Duration {
    let chip = router.board().flash().chip();
    let time = |op: &Op| match op.kind {
        OpKind::Erase => chip.erase_time,
        OpKind::Program => chip.program_time(op.offset, op.len),
    };
    operations.iter().map(time).sum()
}

/// What a script killed beside a command leaves, apart from flash and RAM.
fn kill_key(scene: &Scene<'_>, next: Option<&Arc<ScriptCall>>) -> u64 {
    if scene.place.depth == 1 {
        return digest::of(&(scene.doubted.key(), scene.key, "kill"));
    }
    let clock = scene.moment.clocks.now();
    let next = call_key(after_kill(scene.moment, next));
    digest::of(&(scene.doubted.key(), scene.key, clock.wall, clock.mono, next, "kill"))
}
