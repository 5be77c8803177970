//! The data that all searches of one case share, and the state after an undisturbed call.

use std::borrow::Cow;
use std::sync::Arc;

use super::boot_result::{BootResult, Requirements};
use super::call_position::{CallPosition, RunPhase};
use super::judgement::Judgement;
use super::search_task::SearchTask;
use super::{Options, Violation};
use backend::{CallTrace, CommandSnapshot, InProcess, is_reading};
use runner::expected::{Change, Expected, changes};
use runner::init_output;
use runner::lines::Lines;
use runner::nvram_state::NvramState;
use runner::recorder::Snapshot;
use runner::{GatePolicy, OwnedVariables, Recording, Severity};
use scenario::{Case, FaultPoint, Group, Id, Invariant, ScheduledFault};

/// Explores one case from the recording of its undisturbed run.
pub(super) struct Explorer<'e> {
    pub(super) case: &'e Case,
    pub(super) recording: &'e Recording,
    pub(super) options: Options,
    gate: &'e GatePolicy,
}

impl<'e> Explorer<'e> {
    pub(super) fn new(
        case: &'e Case,
        recording: &'e Recording,
        options: Options,
        gate: &'e GatePolicy,
    ) -> Self {
        Self { case, recording, options, gate }
    }

    /// The NVRAM variables that belong to the script.
    pub(super) fn owned(&self) -> &OwnedVariables {
        &self.recording.owned
    }

    /// Boots `router` from flash and persistent files with this fingerprint, or returns the cached result.
    pub(super) fn boot<'r>(
        &self,
        medium: u128,
        router: impl FnOnce() -> Cow<'r, InProcess>,
        task: &mut SearchTask,
    ) -> Arc<BootResult> {
        task.boot(medium, self.options, |cache| BootResult::of(&router(), self.owned(), cache))
    }

    /// Updates the snapshot after an undisturbed call. Returns a judgement if the call wrote to the flash although
    /// nothing had changed.
    pub(super) fn finish_call(
        &self,
        snapshot: &mut Snapshot,
        trace: &CallTrace,
        position: CallPosition<'_>,
        task: &mut SearchTask,
    ) -> Option<Judgement> {
        let mut judgement = None;
        let wanted = changes(&snapshot.call);
        let reads =
            |step: &CommandSnapshot| step.arguments.first().is_some_and(|word| is_reading(word));
        if !trace.commands.iter().all(reads) {
            let board = snapshot.target.device();
            let now = NvramState::of(board, self.owned(), Some(&snapshot.nvram));
            let committed =
                snapshot.nvram.ram == snapshot.nvram.flash && now.flash == snapshot.nvram.flash;
            let operations = trace.commands.iter().map(|step| step.operations.len()).sum::<usize>();
            // A script that is killed between `commit` and its end cannot know that the commit is done: one redundant
            // commit in the next call is correct.
            let after_kill =
                matches!(position.faults, [.., ScheduledFault { point: FaultPoint::Kill(..), .. }]);
            if committed && operations > 0 && !after_kill && position.phase != RunPhase::Undisturbed
            {
                let text = format!("{operations} flash operations, and nothing stored changed");
                let violations = vec![(Invariant::NoRedundantWrites, (Severity::Advice, text))];
                let schedule = position.schedule(FaultPoint::Ended);
                judgement = Some(self.judge_violations(violations, snapshot, &schedule));
            }
            snapshot.nvram = now;
        }
        if trace.outcome.exit != 0 {
            mark_uncertain(&mut snapshot.expected, wanted);
            return judgement;
        }
        let acknowledges = !wanted.is_empty();
        if !snapshot.expected.certainly_contains(&wanted) {
            Arc::make_mut(&mut snapshot.expected).acknowledged(wanted);
        }
        if acknowledges && snapshot.expected.is_uncertain() {
            // A call that returns 0 has also repaired what an interrupted call had left behind.
            let actual = self.stored_leases(snapshot, task);
            Arc::make_mut(&mut snapshot.expected).settle(&actual);
        }
        judgement
    }

    /// The leases that `init` prints now.
    fn stored_leases(&self, snapshot: &Snapshot, task: &mut SearchTask) -> Lines {
        if snapshot.nvram.ram.is_load_of(&snapshot.nvram.flash) && !self.options.repeat {
            // RAM equals flash, so the next boot reads the same leases, and its result is needed anyway.
            let router = &snapshot.target;
            let boot = self.boot(router.medium_key(), || Cow::Owned(router.rebooted()), task);
            if boot.output.is_parsable() {
                return boot.output.leases.lines().clone();
            }
        }
        let (init, _) = snapshot.target.read_init();
        init_output::parse(&init.stdout).unwrap_or_default()
    }

    /// What a boot must find after a fault in the call of `snapshot`.
    pub(super) fn requirements<'r>(
        &'r self,
        snapshot: &'r Snapshot,
        expected: &'r Expected,
    ) -> Requirements<'r> {
        Requirements {
            expected,
            nvram: &snapshot.nvram,
            tolerance: snapshot.tolerance,
            owned: self.owned(),
        }
    }

    /// Whether a violation makes the exploration fail.
    pub(super) fn denies(&self, violation: &Violation) -> bool {
        self.gate.denies(violation.severity, violation.group)
    }

    /// Separates violations that the scenario declares from those that it does not.
    pub(super) fn judge_violations(
        &self,
        violations: Vec<(Invariant, (Severity, String))>,
        snapshot: &Snapshot,
        schedule: &[ScheduledFault],
    ) -> Judgement {
        let declared = |invariant: Invariant| {
            let breaks = &self.case.scenario.breaks;
            breaks.iter().any(|b| b.invariant == invariant && self.case.matches(&b.when))
        };
        if violations.iter().all(|(invariant, _)| declared(*invariant)) {
            return Judgement::Declared;
        }
        let undeclared = violations.into_iter().filter(|(invariant, _)| !declared(*invariant));
        let violations: Vec<Violation> = undeclared
            .map(|(invariant, (severity, text))| {
                let id = Id::new(self.case, schedule);
                let group = Group::of_invariant(invariant, self.case.scenario.group);
                Violation { invariant, severity, group, text, step: snapshot.step, id }
            })
            .collect();
        if violations.iter().any(|violation| self.denies(violation)) {
            Judgement::Broken(violations)
        } else {
            Judgement::Allowed(violations)
        }
    }
}

/// Records that a call did not return 0: its changes may or may not be stored.
pub(super) fn mark_uncertain(expected: &mut Arc<Expected>, wanted: Vec<Change>) {
    if !expected.certainly_contains(&wanted) {
        Arc::make_mut(expected).mark_uncertain(wanted);
    }
}
