//! The data that all searches of one case share, and the state after an undisturbed call.

use std::borrow::Cow;
use std::sync::Arc;

use super::boot_result::{BootResult, Explanation, Requirements};
use super::call_position::{CallPosition, RunPhase};
use super::judgement::Judgement;
use super::search_task::SearchTask;
use super::violation::{call_record, schedule_text};
use super::{Options, Violation};
use backend::{CallTrace, CommandSnapshot, InProcess, is_reading};
use dnsmasq_model::ScriptCall;
use runner::expected::{Change, Expected, changes};
use runner::init_output;
use runner::lines::Lines;
use runner::nvram_state::NvramState;
use runner::recorder::Snapshot;
use runner::{Evidence, GatePolicy, OwnedVariables, Recording, Severity};
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
        let rules = (self.owned(), self.recording.release);
        task.boot(medium, self.options, |cache| BootResult::of(&router(), rules, cache))
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
        let reads = |command: &CommandSnapshot| {
            command.arguments.first().is_some_and(|word| is_reading(word))
        };
        if !trace.commands.iter().all(reads) {
            let board = snapshot.target.device();
            let now = NvramState::of(board, self.owned(), Some(&snapshot.nvram));
            let committed =
                snapshot.nvram.ram == snapshot.nvram.flash && now.flash == snapshot.nvram.flash;
            let operations =
                trace.commands.iter().map(|command| command.operations.len()).sum::<usize>();
            // A script that is killed between `commit` and its end cannot know that the commit is done: one redundant
            // commit in the next call is correct.
            let after_kill = position.faults.last().is_some_and(|fault| fault.point.is_kill());
            if committed && operations > 0 && !after_kill && position.phase != RunPhase::Undisturbed
            {
                let violation = Explanation {
                    invariant: Invariant::NoRedundantWrites,
                    severity: Severity::Advice,
                    text: format!("{operations} flash operations although no stored value changed"),
                    expected: Vec::new(),
                    found: Vec::new(),
                    init: None,
                };
                let schedule = position.schedule(FaultPoint::AfterCall);
                let fault =
                    FaultyCall { call: &snapshot.call, trace: Some(trace), schedule: &schedule };
                judgement =
                    Some(self.judge_violations(vec![violation], snapshot.step, fault, task));
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
        init_output::parse_as(&init.stdout, self.recording.release).unwrap_or_default()
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
            release: self.recording.release,
        }
    }

    /// Whether a violation makes the exploration fail.
    pub(super) fn denies(&self, violation: &Violation) -> bool {
        self.gate.denies(violation.severity, violation.group)
    }

    /// Separates violations that the scenario declares from those that it does not.
    pub(super) fn judge_violations(
        &self,
        violations: Vec<Explanation>,
        step: usize,
        fault: FaultyCall<'_>,
        task: &mut SearchTask,
    ) -> Judgement {
        let declared = |invariant: Invariant| {
            let breaks = &self.case.scenario.breaks;
            breaks.iter().any(|b| b.invariant == invariant && self.case.matches(&b.when))
        };
        if violations.iter().all(|violation| declared(violation.invariant)) {
            return Judgement::Declared;
        }
        let mut undeclared = Vec::new();
        for explanation in violations.into_iter().filter(|it| !declared(it.invariant)) {
            let mut violation = self.violation(&explanation, step, fault.schedule);
            if task.is_new_kind(&violation) {
                violation.evidence = fault.evidence(explanation);
            }
            undeclared.push(violation);
        }
        if undeclared.iter().any(|violation| self.denies(violation)) {
            Judgement::Broken(undeclared)
        } else {
            Judgement::Allowed(undeclared)
        }
    }

    /// A violation without evidence.
    pub(super) fn violation(
        &self,
        explanation: &Explanation,
        step: usize,
        schedule: &[ScheduledFault],
    ) -> Violation {
        let &Explanation { invariant, severity, ref text, .. } = explanation;
        Violation {
            invariant,
            severity,
            group: Group::of_invariant(invariant, self.case.scenario.group),
            text: text.clone(),
            step,
            id: Id::new(self.case, schedule),
            evidence: Evidence::default(),
            count: 1,
        }
    }
}

/// A call with a fault.
#[derive(Clone, Copy)]
pub(super) struct FaultyCall<'f> {
    pub(super) call: &'f ScriptCall,
    /// The call without a fault, if it was made.
    pub(super) trace: Option<&'f CallTrace>,
    /// The faults up to that of the call.
    pub(super) schedule: &'f [ScheduledFault],
}

impl FaultyCall<'_> {
    /// What a report shows about a violation after the fault.
    pub(super) fn evidence(&self, explanation: Explanation) -> Evidence {
        let point = self.schedule.last().map_or(FaultPoint::BeforeCall, |fault| fault.point);
        let call = || call_record(self.call, self.trace, point);
        let Explanation { expected, found, init, .. } = explanation;
        Evidence {
            step: schedule_text(self.schedule),
            call: Some(Arc::new(init.unwrap_or_else(call))),
            expected,
            found,
        }
    }
}

/// Records that a call did not return 0: its changes may or may not be stored.
pub(super) fn mark_uncertain(expected: &mut Arc<Expected>, wanted: Vec<Change>) {
    if !expected.certainly_contains(&wanted) {
        Arc::make_mut(expected).mark_uncertain(wanted);
    }
}
