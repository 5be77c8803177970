//! A violated invariant, with the id that reproduces it.

use backend::{CallEnd, CallResult, CallTrace, NvramCommand};
use dnsmasq_model::ScriptCall;
use runner::{CallRecord, Evidence, Finding, FindingKind, Severity};
use scenario::{Case, FaultPoint, Group, Id, Invariant, ScheduledFault, Side};

/// One violated invariant in one state, or in several alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant that does not hold.
    pub invariant: Invariant,
    /// How serious it is.
    pub severity: Severity,
    /// The group of the report to which it belongs.
    pub group: Group,
    /// The first difference between what is expected and what was found, in words.
    pub text: String,
    /// Number of the scenario's step, from 1.
    pub step: usize,
    /// The reproduction id of this state.
    pub id: Id,
    /// What a report shows in addition to the text. Of violations of one kind, only the first one has it.
    pub evidence: Evidence,
    /// In how many states it was found.
    pub count: u64,
}

impl Violation {
    /// Whether the texts differ in names and numbers only.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.invariant, self.severity, self.group)
            == (other.invariant, other.severity, other.group)
            && self.shape() == other.shape()
    }

    /// The text without names and numbers.
    pub(super) fn shape(&self) -> String {
        runner::shape(FindingKind::Broken(self.invariant), &self.text)
    }

    /// The violation as a finding of its case.
    pub fn finding(&self, case: &Case) -> Finding {
        let step = self.step.checked_sub(1).and_then(|index| case.scenario.steps.get(index));
        let line = step.map_or(0, |step| case.source.position(step.span().start).0);
        Finding {
            severity: self.severity,
            group: self.group,
            step: self.step,
            line,
            evidence: self.evidence.clone(),
            ..Finding::of_case(case, FindingKind::Broken(self.invariant), &*self.text)
        }
    }
}

/// The faults of a schedule in words.
pub(super) fn schedule_text(schedule: &[ScheduledFault]) -> String {
    let faults: Vec<String> = schedule.iter().map(|fault| fault_text(fault.point)).collect();
    faults.join(", then ")
}

fn fault_text(point: FaultPoint) -> String {
    let beside = |side| match side {
        Side::Before => "before",
        Side::After => "after",
    };
    match point {
        FaultPoint::BeforeCall => "power cut just before the call".to_owned(),
        FaultPoint::AfterCall => "power cut just after the call".to_owned(),
        FaultPoint::Cut(side, nth) => format!("power cut {} nvram command {nth}", beside(side)),
        FaultPoint::Kill(side, nth) => {
            format!("script killed {} nvram command {nth}, then power cut", beside(side))
        }
        FaultPoint::Within { nth, op, byte } => format!(
            "power cut in flash operation {} of nvram command {nth}, after {byte} bytes",
            op + 1
        ),
        FaultPoint::FileChange { changes, state: 0 } => {
            format!("power cut after change {changes} of the persistent files")
        }
        FaultPoint::FileChange { changes, .. } => format!(
            "power cut after change {changes} of the persistent files, not all of which have reached the medium"
        ),
        FaultPoint::KillAtFileChange(changes) => {
            format!("script killed after change {changes} of the persistent files, then power cut")
        }
        FaultPoint::AfterCallUnsynced(_) => {
            "power cut just after the call, before its changes of persistent files have reached the medium"
                .to_owned()
        }
    }
}

/// A call as far as it came before the fault.
pub(super) fn call_record(
    call: &ScriptCall,
    trace: Option<&CallTrace>,
    point: FaultPoint,
) -> CallRecord {
    let commands = trace.map_or(&[][..], |trace| &trace.commands);
    let history = trace.and_then(|trace| trace.history.as_ref());
    let begun = |changes: u32| history.map_or(0, |it| it.commands_before(changes as usize - 1));
    let (complete, interrupted, end) = match point {
        FaultPoint::BeforeCall => (0, 0, CallEnd::PowerLost),
        FaultPoint::Cut(Side::Before, nth) => (nth - 1, 0, CallEnd::PowerLost),
        FaultPoint::Cut(Side::After, nth) => (nth, 0, CallEnd::PowerLost),
        FaultPoint::Within { nth, .. } => (nth - 1, 1, CallEnd::PowerLost),
        FaultPoint::Kill(Side::Before, nth) => (nth - 1, 0, CallEnd::Killed(9)),
        FaultPoint::Kill(Side::After, nth) => (nth, 0, CallEnd::Killed(9)),
        FaultPoint::FileChange { changes, .. } => (begun(changes), 0, CallEnd::PowerLost),
        FaultPoint::KillAtFileChange(changes) => (begun(changes), 0, CallEnd::Killed(9)),
        FaultPoint::AfterCall | FaultPoint::AfterCallUnsynced(_) => {
            let exit = trace.map_or(0, |trace| trace.outcome.exit);
            (commands.len() as u32, 0, CallEnd::Exited(i32::from(exit)))
        }
    };
    let (complete, interrupted) = (complete as usize, interrupted as usize);
    let mut result = CallResult::ended(end);
    for (index, command) in commands.iter().take(complete + interrupted).enumerate() {
        let code = command.code.filter(|_| index < complete);
        result.commands.push(NvramCommand { arguments: command.arguments.clone(), code });
        result.operations.extend(command.operations.iter().copied());
    }
    if let (CallEnd::Exited(_), Some(trace)) = (end, trace) {
        result.stdout.clone_from(&trace.outcome.stdout);
        result.stderr.clone_from(&trace.outcome.stderr);
    }
    CallRecord { call: call.clone(), result, disturbance: point.disturbance() }
}
