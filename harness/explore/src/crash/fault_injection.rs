//! Injects a fault at every point of one call.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::boot_result::{BootResult, Explanation};
use super::call_position::{CallPosition, RunPhase};
use super::explorer::{Explorer, FaultyCall, mark_uncertain};
use super::judgement::Judgement;
use super::recovery::apply_boot;
use super::search_task::SearchTask;
use super::{PointKind, Verdict};
use backend::{Backend as _, CallTrace, CommandSnapshot, InProcess};
use dnsmasq_model::ScriptCall;
use nvram_emu::device::{Op, OpKind};
use runner::Severity;
use runner::expected::{Expected, changes};
use runner::nvram_state::NvramState;
use runner::recorder::Snapshot;
use scenario::digest;
use scenario::{FaultPoint, Invariant, Side};

/// The data that all fault points of one call share.
pub(super) struct CallContext<'c> {
    /// The state before the call.
    pub(super) before: &'c Snapshot,
    /// The call without a fault; `None` if it is known to read only.
    trace: Option<&'c CallTrace>,
    pub(super) position: CallPosition<'c>,
    /// The expectations during the call: its changes may or may not be stored.
    pub(super) during: Arc<Expected>,
    /// A fingerprint of the variables that are not leases, and of the position in the scenario.
    key: u64,
}

impl<'c> CallContext<'c> {
    fn new(before: &'c Snapshot, trace: Option<&'c CallTrace>, position: CallPosition<'c>) -> Self {
        let mut during = Arc::clone(&before.expected);
        mark_uncertain(&mut during, changes(&before.call));
        let key = digest::of(&(
            (before.nvram.flash.neighbours(), before.nvram.ram.neighbours()),
            (before.event, before.clocks.truth(), before.server.random_state()),
            position.depth,
        ));
        Self { before, trace, position, during, key }
    }
}

/// The call after a kill.
#[derive(Clone, Copy)]
pub(super) struct CallAfterKill<'k> {
    /// The call that follows the killed one in the undisturbed run.
    next: Option<&'k Arc<ScriptCall>>,
    /// A fingerprint of the call after the kill, without flash and RAM.
    key: u64,
    /// How many commands that call runs, if it is known to read only.
    commands: Option<u32>,
}

/// A loss of power.
pub(super) struct PowerCut<'l> {
    pub(super) point: FaultPoint,
    pub(super) kind: PointKind,
    /// Fingerprint of the resulting flash and persistent files.
    pub(super) medium: u128,
    pub(super) expected: &'l Expected,
    /// Whether the flash was cut inside an operation.
    pub(super) torn: bool,
    /// The highest severity of a violation.
    pub(super) severity: Severity,
}

impl Explorer<'_> {
    /// Injects a fault at every point of the call of `snapshot`, then makes the call undisturbed.
    pub(super) fn explore_call(
        &self,
        snapshot: &mut Snapshot,
        position: CallPosition<'_>,
        next: Option<&Arc<ScriptCall>>,
        task: &mut SearchTask,
    ) {
        snapshot.target.set_clock(snapshot.clocks.now());
        let before = snapshot.clone();
        let trace = snapshot.target.trace_call(&snapshot.call);
        let context = CallContext::new(&before, Some(&trace), position);
        let kill_key = kill_key(&context, next);
        self.cut_before_call(&context, task);
        // A command that only reads changes nothing: the state after it is the one before it.
        let mut last = None;
        for (index, command) in trace.commands.iter().enumerate() {
            let nth = index as u32 + 1;
            let mut inject_beside = |side, router: &Arc<InProcess>, task: &mut SearchTask| {
                let known = last.is_some_and(|last| std::ptr::eq(last, Arc::as_ptr(router)));
                last = Some(Arc::as_ptr(router));
                let after = CallAfterKill { next, key: kill_key, commands: None };
                self.inject_beside_command(&context, (side, nth), router, after, known, task);
            };
            inject_beside(Side::Before, &command.before, task);
            if !command.operations.is_empty() {
                if position.phase == RunPhase::Undisturbed {
                    task.window.commits += 1;
                    task.window.open += duration(&command.after, &command.operations);
                }
                self.cut_operations(&context, nth, command, task);
            }
            inject_beside(Side::After, &command.after, task);
        }
        let after_kill = CallAfterKill { next, key: kill_key, commands: None };
        self.interrupt_file_changes(&context, &trace, after_kill, task);
        if let Some(judgement) = self.finish_call(snapshot, &trace, position, task) {
            task.add_undisturbed(judgement);
        }
        let after_call = PowerCut {
            point: FaultPoint::AfterCall,
            kind: PointKind::Between,
            medium: snapshot.target.medium_key(),
            expected: &snapshot.expected,
            torn: false,
            severity: Severity::Bug,
        };
        self.cut_power(&context, &after_call, task, || snapshot.target.rebooted());
        self.cut_unsynced_changes(&context, snapshot, &trace, task);
    }

    /// Like [`Self::explore_call`], for a call that runs this many commands and only reads: all its points have the same
    /// state.
    fn explore_read_only_call(
        &self,
        snapshot: &Snapshot,
        position: CallPosition<'_>,
        commands: u32,
        task: &mut SearchTask,
    ) {
        let context = CallContext::new(snapshot, None, position);
        self.cut_before_call(&context, task);
        let key = kill_key(&context, None);
        let after = CallAfterKill { next: None, key, commands: Some(commands) };
        if commands > 0 {
            let first = (Side::Before, 1);
            self.inject_beside_command(&context, first, &snapshot.target, after, false, task);
        }
        let others = u64::from(commands).saturating_sub(1);
        for (kind, points) in [
            (PointKind::BeforeCommand, others),
            (PointKind::KillBefore, others),
            (PointKind::AfterCommand, u64::from(commands)),
            (PointKind::KillAfter, u64::from(commands)),
            (PointKind::Between, 1),
        ] {
            task.count_known_points(kind, position.phase, points);
        }
    }

    /// Cuts power just before the call.
    fn cut_before_call(&self, context: &CallContext<'_>, task: &mut SearchTask) {
        let router = &context.before.target;
        let cut = PowerCut {
            point: FaultPoint::BeforeCall,
            kind: PointKind::Between,
            medium: router.medium_key(),
            expected: &context.before.expected,
            torn: false,
            severity: Severity::Bug,
        };
        self.cut_power(context, &cut, task, || router.rebooted());
    }

    /// Cuts power, and kills the script, before or after a command. `known`: the previous call of this method had the same
    /// router.
    fn inject_beside_command(
        &self,
        context: &CallContext<'_>,
        (side, nth): (Side, u32),
        router: &InProcess,
        after: CallAfterKill<'_>,
        known: bool,
        task: &mut SearchTask,
    ) {
        let (cut_kind, kill_kind) = match side {
            Side::Before => (PointKind::BeforeCommand, PointKind::KillBefore),
            Side::After => (PointKind::AfterCommand, PointKind::KillAfter),
        };
        if known && !self.options.repeat {
            task.count_known_points(cut_kind, context.position.phase, 1);
            task.count_known_points(kill_kind, context.position.phase, 1);
            return;
        }
        let cut = PowerCut {
            point: FaultPoint::Cut(side, nth),
            kind: cut_kind,
            medium: router.medium_key(),
            expected: &context.during,
            torn: false,
            severity: Severity::Bug,
        };
        self.cut_power(context, &cut, task, || router.rebooted());
        let kill = (FaultPoint::Kill(side, nth), kill_kind);
        self.kill_script(context, kill, Cow::Borrowed(router), after, task);
    }

    /// Cuts power before, inside and after each flash operation of a command.
    fn cut_operations(
        &self,
        context: &CallContext<'_>,
        nth: u32,
        command: &CommandSnapshot,
        task: &mut SearchTask,
    ) {
        let ends = (
            command.before.device().flash().fingerprint(),
            command.after.device().flash().fingerprint(),
        );
        let flashes = command.flash_history.iter().chain([command.after.device().flash()]);
        let pairs = command.flash_history.iter().zip(flashes.skip(1)).zip(&command.operations);
        for (op, ((before, after), operation)) in pairs.enumerate() {
            let key = digest::of(&(after.fingerprint(), operation.offset, operation.len, ends));
            let key = digest::join(digest::join(before.fingerprint(), key), context.key);
            let is_new = task.mark_cut_operation(digest::join(key, context.during.key()));
            let points = self.cut_points(operation.len);
            if !is_new && !self.options.repeat {
                for byte in points {
                    task.count_known_points(kind_of(operation, byte), context.position.phase, 1);
                }
                continue;
            }
            let start = operation.offset;
            // An operation proceeds from its first byte to its last.
            let mut router = command.before.rebooted_with(before);
            let mut done = 0;
            for byte in points {
                router.flash_mut().overwrite_from(after, start + done, start + byte);
                done = byte;
                let flash = router.device().flash().fingerprint();
                let cut = PowerCut {
                    point: FaultPoint::Within { nth, op: op as u32, byte },
                    kind: kind_of(operation, byte),
                    medium: router.medium_key(),
                    expected: &context.during,
                    torn: flash != ends.0 && flash != ends.1,
                    severity: Severity::Bug,
                };
                self.cut_power(context, &cut, task, || router.clone());
            }
        }
    }

    /// After how many bytes an operation of this length is cut, in ascending order.
    fn cut_points(&self, length: u32) -> Vec<u32> {
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

    /// Judges the boot after a power cut, and explores the recovery if more faults may follow.
    pub(super) fn cut_power(
        &self,
        context: &CallContext<'_>,
        cut: &PowerCut<'_>,
        task: &mut SearchTask,
        router: impl FnOnce() -> InProcess,
    ) {
        let &PowerCut { point, kind, medium, expected, torn, severity } = cut;
        let (before, position) = (context.before, context.position);
        let highest = severity.min(position.highest);
        // A state that is also reached with a lower severity is judged again.
        let key = digest::of(&(context.key, highest == Severity::Bug));
        let state = digest::join(digest::join(medium, expected.key()), key);
        let distinct = task.count_point(kind, position.phase, state);
        if !distinct && !self.options.repeat {
            return;
        }
        let router = router();
        let boot = self.boot(medium, || Cow::Borrowed(&router), task);
        let judgement = self.judge(context, &boot, (point, expected, torn), highest, task);
        self.add_judged(context, state, (kind, point), judgement, task);
        // The recovery depends on the medium, not on what must be stored in it.
        let start = digest::join(medium, key);
        if position.depth > 1 && distinct && task.mark_recovered(start) {
            let mut powered_off = Snapshot { target: router, ..before.clone() };
            apply_boot(&mut powered_off, &boot);
            let (schedule, depth) = (position.schedule(point), position.depth - 1);
            self.recover(powered_off, &boot, &mut |snapshot, ordinal, phase| {
                let position = CallPosition { faults: &schedule, ordinal, phase, depth, highest };
                let is_init = phase == RunPhase::Recovery && ordinal == 1 && !self.options.repeat;
                match boot.commands.filter(|_| is_init) {
                    Some(commands) => {
                        self.explore_read_only_call(snapshot, position, commands, task);
                    }
                    None => self.explore_call(snapshot, position, None, task),
                }
                true
            });
        }
    }

    /// Kills the script while power stays on. Judges a power cut right after the kill, and explores the next call if
    /// more faults may follow.
    pub(super) fn kill_script(
        &self,
        context: &CallContext<'_>,
        (point, kind): (FaultPoint, PointKind),
        router: Cow<'_, InProcess>,
        after: CallAfterKill<'_>,
        task: &mut SearchTask,
    ) {
        let (before, position) = (context.before, context.position);
        let medium = router.medium_key();
        // If no call follows, RAM makes no difference.
        let ram = if position.depth > 1 { router.ram_key() } else { 0 };
        let state = digest::join(digest::join(medium, ram), after.key);
        let distinct = task.count_point(kind, position.phase, state);
        if !distinct && !self.options.repeat {
            return;
        }
        let boot = self.boot(medium, || Cow::Owned(router.rebooted()), task);
        let fault = (point, &*context.during, false);
        let judgement = self.judge(context, &boot, fault, position.highest, task);
        self.add_judged(context, state, (kind, point), judgement, task);
        if position.depth > 1 && distinct {
            let mut later = Snapshot {
                nvram: NvramState::of(router.device(), self.owned(), Some(&before.nvram)),
                target: router.into_owned(),
                expected: Arc::clone(&context.during),
                call: Arc::clone(call_after_kill(before, after.next)),
                ..before.clone()
            };
            let (schedule, depth) = (position.schedule(point), position.depth - 1);
            let faults = schedule.as_slice();
            let position =
                CallPosition { faults, ordinal: 1, phase: RunPhase::FollowUp, depth, ..position };
            match after.commands {
                Some(commands) => self.explore_read_only_call(&later, position, commands, task),
                None => self.explore_call(&mut later, position, None, task),
            }
        }
    }

    fn judge(
        &self,
        context: &CallContext<'_>,
        boot: &BootResult,
        (point, expected, torn): (FaultPoint, &Expected, bool),
        highest: Severity,
        task: &mut SearchTask,
    ) -> Judgement {
        let required = self.requirements(context.before, expected);
        let violated = boot.violated(&required);
        match Verdict::of(&violated, torn) {
            Verdict::Kept => Judgement::Kept,
            Verdict::Lost => Judgement::Lost,
            Verdict::Allowed | Verdict::Broken => {
                let explain = |invariant: &Invariant| {
                    let explanation = boot.explain(*invariant, &required);
                    Explanation { severity: explanation.severity.min(highest), ..explanation }
                };
                let violations = violated.iter().map(explain).collect();
                let schedule = context.position.schedule(point);
                let CallContext { before, trace, .. } = *context;
                let fault = FaultyCall { call: &before.call, trace, schedule: &schedule };
                self.judge_violations(violations, before.step, fault, task)
            }
        }
    }

    fn add_judged(
        &self,
        context: &CallContext<'_>,
        state: u128,
        (kind, point): (PointKind, FaultPoint),
        judgement: Judgement,
        task: &mut SearchTask,
    ) {
        let schedule = self.options.list.then(|| context.position.schedule(point));
        task.add_judged(state, (kind, context.position.phase), judgement, schedule);
    }
}

/// The kind of a cut after `byte` bytes of an operation.
fn kind_of(operation: &Op, byte: u32) -> PointKind {
    match operation.kind {
        _ if byte == 0 => PointKind::BeforeOperation,
        _ if byte == operation.len => PointKind::AfterOperation,
        OpKind::Erase => PointKind::TornErase,
        OpKind::Program => PointKind::TornProgram,
    }
}

/// The call after a kill: the next one of the undisturbed run, or the killed one again if either is an `init`, because
/// dnsmasq then restarts.
pub(super) fn call_after_kill<'c>(
    killed: &'c Snapshot,
    next: Option<&'c Arc<ScriptCall>>,
) -> &'c Arc<ScriptCall> {
    let is_init = |call: &ScriptCall| call.action() == b"init";
    next.filter(|next| !is_init(next) && !is_init(&killed.call)).unwrap_or(&killed.call)
}

/// How long these operations take on the router's chip.
fn duration(router: &InProcess, operations: &[Op]) -> Duration {
    let chip = router.device().flash().chip();
    let time = |op: &Op| match op.kind {
        OpKind::Erase => chip.erase_time,
        OpKind::Program => chip.program_time(op.offset, op.len),
    };
    operations.iter().map(time).sum()
}

/// A fingerprint of the state after a kill, without flash and RAM.
fn kill_key(context: &CallContext<'_>, next: Option<&Arc<ScriptCall>>) -> u64 {
    if context.position.depth == 1 {
        return digest::of(&(context.during.key(), context.key, "kill"));
    }
    let clock = context.before.clocks.now();
    let call = call_after_kill(context.before, next);
    let call_key = digest::of(&(&call.argv, &call.env));
    digest::of(&(context.during.key(), context.key, clock.wall, clock.mono, call_key, "kill"))
}
