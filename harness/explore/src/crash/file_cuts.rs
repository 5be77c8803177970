//! Power cuts and kills after the changes that a call makes to persistent files.

use std::borrow::Cow;

use super::PointKind;
use super::explorer::Explorer;
use super::fault_injection::{CallAfterKill, CallContext, PowerCut};
use super::search_task::SearchTask;
use backend::{Backend as _, CallOptions, CallTrace, FileHistory, FilesAfterCut, InProcess};
use runner::Severity;
use runner::recorder::Snapshot;
use scenario::FaultPoint;

/// The router after this many file changes of a call, without its RAM. `before` is the router before the call.
pub(super) fn router_after_changes(
    before: &InProcess,
    trace: &CallTrace,
    history: &FileHistory,
    changes: usize,
) -> InProcess {
    let commands = changes.checked_sub(1).map_or(0, |last| history.commands_before(last));
    let last_command = commands.checked_sub(1).and_then(|last| trace.commands.get(last as usize));
    last_command.map_or(before, |command| &command.after).rebooted()
}

/// The highest severity of what a power cut that leaves these files can show.
pub(super) fn severity_of(left: &FilesAfterCut) -> Severity {
    if left.needs_delayed_writes { Severity::Risk } else { Severity::Bug }
}

impl Explorer<'_> {
    /// Cuts power after each change of persistent files, and boots from each state in which that can leave them. Also kills
    /// the script there.
    pub(super) fn interrupt_file_changes(
        &self,
        context: &CallContext<'_>,
        trace: &CallTrace,
        after_kill: CallAfterKill<'_>,
        task: &mut SearchTask,
    ) {
        let Some(history) = &trace.history else { return };
        for changes in 1..=history.len() {
            let base = router_after_changes(&context.before.target, trace, history, changes);
            for (state, left) in (0..).zip(history.states_after(changes)) {
                let severity = severity_of(&left);
                let router = base.clone().with_persistent_files(left.files);
                let cut = PowerCut {
                    point: FaultPoint::FileChange { changes: changes as u32, state },
                    kind: PointKind::FileChange,
                    medium: router.medium_key(),
                    expected: &context.during,
                    torn: false,
                    severity,
                };
                self.cut_power(context, &cut, task, || router);
            }
            self.kill_at_file_change(context, (history, changes), base, after_kill, task);
        }
    }

    /// Kills the script after this many changes. `rebooted` is the router at this moment, without its RAM.
    fn kill_at_file_change(
        &self,
        context: &CallContext<'_>,
        (history, changes): (&FileHistory, usize),
        rebooted: InProcess,
        after_kill: CallAfterKill<'_>,
        task: &mut SearchTask,
    ) {
        let point = FaultPoint::KillAtFileChange(changes as u32);
        let mut router = rebooted.with_persistent_files(history.seen_after(changes));
        if context.position.depth > 1 {
            // The calls that follow read the files in RAM, which are known only after a real kill.
            router = context.before.target.clone();
            let disturbance = point.disturbance();
            let options = CallOptions { disturbance, ..CallOptions::default() };
            if let Err(error) = router.call(&context.before.call, &options) {
                router.record_error(error);
                return;
            }
        }
        let kill = (point, PointKind::KillAtFileChange);
        self.kill_script(context, kill, Cow::Owned(router), after_kill, task);
    }

    /// Cuts power just after a call, and boots from each state in which that can leave the persistent files. The one in
    /// which nothing is lost is explored with the other points of the call.
    pub(super) fn cut_unsynced_changes(
        &self,
        context: &CallContext<'_>,
        after: &Snapshot,
        trace: &CallTrace,
        task: &mut SearchTask,
    ) {
        let Some(history) = &trace.history else { return };
        for (state, left) in (0..).zip(history.states_at_end()).skip(1) {
            let severity = severity_of(&left);
            let router = after.target.rebooted().with_persistent_files(left.files);
            let cut = PowerCut {
                point: FaultPoint::AfterCallUnsynced(state),
                kind: PointKind::FileChange,
                medium: router.medium_key(),
                expected: &after.expected,
                torn: false,
                severity,
            };
            self.cut_power(context, &cut, task, || router);
        }
    }
}
