//! Replays one schedule of faults. Each call is interrupted by the back end, without the explorer's caches and shortcuts.

use std::sync::Arc;

use super::boot_result::{BootResult, Explanation, InitOutputs};
use super::explorer::{Explorer, FaultyCall, mark_uncertain};
use super::fault_injection::call_after_kill;
use super::file_cuts::{router_after_changes, severity_of};
use super::recovery::apply_boot;
use super::replay_error::ReplayError;
use super::{Options, Verdict, Violation};
use backend::{
    Backend, BackendError, CallEnd, CallOptions, CallResult, ExternalScript, Function, InProcess,
};
use dnsmasq_model::ScriptCall;
use runner::expected::changes as changes_of;
use runner::nvram_state::NvramState;
use runner::recorder::Snapshot;
use runner::{
    GatePolicy, Recording, ScriptChoice, Severity, call_text, command_text, end_text, record,
};
use scenario::{Case, FaultPoint, Id, ScheduledFault};

/// The result of a replay.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The verdict after the last fault.
    pub verdict: Verdict,
    /// All invariants that do not hold, those of an unavoidable loss included.
    pub violations: Vec<Violation>,
    /// One line for each event, call, command and flash operation; empty unless verbose.
    pub log: Vec<String>,
}

/// Runs the schedule of an id on its case, with `script` instead of the scenario's own script if given,
/// as `choice` says. `gate` says which violations count as broken.
///
/// # Errors
/// A scenario that cannot be run, or a schedule that does not fit the case.
pub fn replay(
    case: &Case,
    script: Option<Function>,
    choice: &ScriptChoice,
    gate: &GatePolicy,
    id: &Id,
    verbose: bool,
) -> Result<Replayed, ReplayError> {
    let processes = match &script {
        Some(Function::Process(processes)) => Some(Arc::clone(processes)),
        _ => None,
    };
    let recording = record(case, script, choice)?;
    let mut replayer = ScheduleReplayer::new(case, &recording, (id, gate), None);
    replayer.log = verbose.then(Vec::new);
    let result = replayer.run();
    if let Some(fault) = processes.and_then(|processes| processes.take_error()) {
        return Err(fault.into());
    }
    let (verdict, violations) = result?;
    Ok(Replayed { verdict, violations, log: replayer.log.unwrap_or_default() })
}

/// The error of a fault after a change of a file that the call does not make, or with a state that it cannot leave.
fn no_such_state(snapshot: &Snapshot) -> ReplayError {
    let trace = snapshot.target.clone().trace_call(&snapshot.call);
    let made = trace.history.as_ref().map_or(0, |history| history.len());
    ReplayError::NoFileState { call: call_text(&snapshot.call), made }
}

type ReplayResult = Result<(Verdict, Vec<Violation>), ReplayError>;

/// A replay in progress.
pub(super) struct ScheduleReplayer<'s> {
    explorer: Explorer<'s>,
    id: &'s Id,
    log: Option<Vec<String>>,
    /// Processes that also run the part since the last boot, for comparison.
    processes: Option<&'s Arc<ExternalScript>>,
    /// The highest severity of a violation, after the faults so far.
    highest: Severity,
    /// How the processes behaved differently.
    pub(super) differences: Vec<String>,
}

impl<'s> ScheduleReplayer<'s> {
    pub(super) fn new(
        case: &'s Case,
        recording: &'s Recording,
        (id, gate): (&'s Id, &'s GatePolicy),
        processes: Option<&'s Arc<ExternalScript>>,
    ) -> Self {
        let explorer = Explorer::new(case, recording, Options::default(), gate);
        let (log, highest) = (None, Severity::Bug);
        Self { explorer, id, log, processes, highest, differences: Vec::new() }
    }

    /// Runs the schedule.
    pub(super) fn run(&mut self) -> ReplayResult {
        let snapshots = &self.explorer.recording.recorder.snapshots;
        let Some((fault, rest)) = self.id.schedule.split_first() else {
            return Err(ReplayError::NoFault);
        };
        let (before, after) = snapshots.split_at((fault.call as usize - 1).min(snapshots.len()));
        let Some(snapshot) = after.first() else {
            let (made, call) = (snapshots.len(), fault.call);
            return Err(ReplayError::NoCall { made, call });
        };
        if self.log.is_some() {
            let mut logged = 0;
            for earlier in before {
                self.log_events(earlier, &mut logged);
                self.perform(&mut earlier.target.clone(), earlier, &CallOptions::default())?;
            }
            self.log_events(snapshot, &mut logged);
        }
        self.inject(snapshot, None, fault, rest, after.get(1).map(|snapshot| &snapshot.call))
    }

    /// Logs the events from number `logged` up to the call of `snapshot`.
    fn log_events(&mut self, snapshot: &Snapshot, logged: &mut usize) {
        let events = &self.explorer.recording.recorder.events;
        for event in &events[*logged..snapshot.event.min(events.len())] {
            let text = format!("{} {}", event.action.name(), event.client.name);
            self.log_line(snapshot, "EVENT", &text);
        }
        *logged = snapshot.event;
    }

    /// Injects a fault into the call of `snapshot`, and continues with the rest of the schedule. `shadow` is the router
    /// of the processes if the last fault was a kill, `next` the following call of the undisturbed run.
    fn inject(
        &mut self,
        snapshot: &Snapshot,
        shadow: Option<InProcess>,
        fault: &ScheduledFault,
        rest: &[ScheduledFault],
        next: Option<&Arc<ScriptCall>>,
    ) -> ReplayResult {
        let mut target = snapshot.target.clone();
        let mut expected = Arc::clone(&snapshot.expected);
        let (mut torn, mut left) = (false, None);
        target.set_clock(snapshot.clocks.now());
        let point = fault.point;
        let is_kill = point.is_kill();
        let last_boot = rest.is_empty() || is_kill;
        let mut shadow = shadow.or_else(|| {
            let processes = self.processes.filter(|_| last_boot)?;
            Some(target.with_script(processes))
        });
        let options = CallOptions { disturbance: point.disturbance(), ..CallOptions::default() };
        match point {
            FaultPoint::BeforeCall => {}
            FaultPoint::FileChange { changes, state } => {
                target = self.cut_at_file_change(&target, snapshot, (changes, state))?;
                shadow = None;
                mark_uncertain(&mut expected, changes_of(&snapshot.call));
            }
            FaultPoint::KillAtFileChange(_) => {
                let killed = self.perform(&mut target, snapshot, &options)?;
                if !matches!(killed.end, CallEnd::Killed(_)) {
                    return Err(no_such_state(snapshot));
                }
                shadow = None;
                mark_uncertain(&mut expected, changes_of(&snapshot.call));
            }
            FaultPoint::AfterCall | FaultPoint::AfterCallUnsynced(_) => {
                if let FaultPoint::AfterCallUnsynced(state) = point {
                    let trace = target.clone().trace_call(&snapshot.call);
                    let history = trace.history.as_ref();
                    let state =
                        history.and_then(|it| it.states_at_end().into_iter().nth(state as usize));
                    let Some(state) = state else {
                        return Err(no_such_state(snapshot));
                    };
                    self.highest = self.highest.min(severity_of(&state));
                    left = Some(state.files);
                    shadow = None;
                }
                let ended = self.perform(&mut target, snapshot, &options)?;
                self.compare(&mut shadow, &target, snapshot, (&options, &ended))?;
                if ended.end == CallEnd::Exited(0) {
                    Arc::make_mut(&mut expected).acknowledged(changes_of(&snapshot.call));
                } else {
                    mark_uncertain(&mut expected, changes_of(&snapshot.call));
                }
            }
            FaultPoint::Cut(_, nth) | FaultPoint::Kill(_, nth) | FaultPoint::Within { nth, .. } => {
                let trace = target.clone().trace_call(&snapshot.call);
                let Some(command) = trace.commands.get(nth as usize - 1) else {
                    let (call, made) = (call_text(&snapshot.call), trace.commands.len());
                    return Err(ReplayError::NoCommand { call, made, nth });
                };
                let interrupted = self.perform(&mut target, snapshot, &options)?;
                self.compare(&mut shadow, &target, snapshot, (&options, &interrupted))?;
                mark_uncertain(&mut expected, changes_of(&snapshot.call));
                let flash = |router: &InProcess| router.device().flash().fingerprint();
                torn = matches!(point, FaultPoint::Within { .. })
                    && ![flash(&command.before), flash(&command.after)].contains(&flash(&target));
            }
        }
        self.log_line(snapshot, "FAULT", &fault.to_string());
        let mut powered_off = target.rebooted();
        if let Some(files) = left {
            powered_off = powered_off.with_persistent_files(files);
        }
        if let (true, Some((fault, rest))) = (is_kill, rest.split_first()) {
            let owned = self.explorer.owned();
            let later = Snapshot {
                nvram: NvramState::of(target.device(), owned, Some(&snapshot.nvram)),
                call: Arc::clone(call_after_kill(snapshot, next)),
                target,
                expected,
                ..snapshot.clone()
            };
            return self.inject(&later, shadow, fault, rest, None);
        }
        let rules = (self.explorer.owned(), self.explorer.recording.release);
        let boot = BootResult::of(&powered_off, rules, &mut InitOutputs::default());
        if let Some(shadow) = shadow {
            let (init, _) = shadow.rebooted().read_init();
            if (&init.stdout, init.exit) != (&boot.output.stdout, boot.output.exit) {
                self.differences.push("`init` prints something else".to_owned());
            }
        }
        let Some((fault, rest)) = rest.split_first() else {
            return Ok(self.judge(snapshot, &boot, &expected, torn));
        };
        let mut start = Snapshot { target: powered_off, ..snapshot.clone() };
        apply_boot(&mut start, &boot);
        self.log_line(snapshot, "BOOT", "power is back");
        self.recover(start, &boot, fault, rest)
    }

    /// The router after a power cut that leaves one of the possible states of the persistent files.
    fn cut_at_file_change(
        &mut self,
        target: &InProcess,
        snapshot: &Snapshot,
        (changes, state): (u32, u32),
    ) -> Result<InProcess, ReplayError> {
        let trace = target.clone().trace_call(&snapshot.call);
        let files = trace.history.as_ref().and_then(|history| {
            let known = (1..=history.len()).contains(&(changes as usize));
            let states = known.then(|| history.states_after(changes as usize))?;
            Some((history, states.into_iter().nth(state as usize)?))
        });
        let Some((history, left)) = files else {
            return Err(no_such_state(snapshot));
        };
        self.highest = self.highest.min(severity_of(&left));
        Ok(router_after_changes(target, &trace, history, changes as usize)
            .with_persistent_files(left.files))
    }

    /// Judges the boot after the last fault.
    fn judge(
        &mut self,
        snapshot: &Snapshot,
        boot: &BootResult,
        expected: &runner::expected::Expected,
        torn: bool,
    ) -> (Verdict, Vec<Violation>) {
        let required = self.explorer.requirements(snapshot, expected);
        let violated = boot.violated(&required);
        let mut verdict = Verdict::of(&violated, torn);
        let trace = (!violated.is_empty()).then(|| {
            let mut target = snapshot.target.clone();
            target.set_clock(snapshot.clocks.now());
            target.trace_call(&snapshot.call)
        });
        let violations: Vec<Violation> = violated
            .iter()
            .map(|invariant| {
                let explanation = boot.explain(*invariant, &required);
                let severity = explanation.severity.min(self.highest);
                let explanation = Explanation { severity, ..explanation };
                let schedule = &self.id.schedule;
                let violation = self.explorer.violation(&explanation, snapshot.step, schedule);
                let fault = FaultyCall { call: &snapshot.call, trace: trace.as_ref(), schedule };
                Violation { evidence: fault.evidence(explanation), ..violation }
            })
            .collect();
        let is_denied = violations.iter().any(|violation| self.explorer.denies(violation));
        if verdict == Verdict::Broken && !is_denied {
            verdict = Verdict::Allowed;
        }
        for violation in &violations {
            let text = format!("{}: {}", violation.invariant.name(), violation.text);
            self.log_line(snapshot, "CHECK", &text);
        }
        let leases = boot.output.leases.lines().len();
        self.log_line(snapshot, "CHECK", &format!("{verdict}: init prints {leases} lines"));
        (verdict, violations)
    }

    /// Boots, makes calls until the one of the next fault, and injects that fault.
    fn recover(
        &mut self,
        start: Snapshot,
        boot: &BootResult,
        fault: &ScheduledFault,
        rest: &[ScheduledFault],
    ) -> ReplayResult {
        let mut path = Vec::new();
        let keep_all = self.log.is_some();
        let mut made = 0;
        self.explorer.recover(start, boot, &mut |snapshot, ordinal, _| {
            made = ordinal;
            if keep_all || ordinal == fault.call {
                path.push(snapshot.clone());
            }
            if ordinal < fault.call {
                self.explorer.call_undisturbed(snapshot);
            }
            ordinal < fault.call
        });
        let Some((last, earlier)) = path.split_last().filter(|_| made == fault.call) else {
            return Err(ReplayError::NoFurtherCall { made, call: fault.call });
        };
        let mut logged = earlier.first().unwrap_or(last).event;
        for snapshot in earlier {
            self.log_events(snapshot, &mut logged);
            self.perform(&mut snapshot.target.clone(), snapshot, &CallOptions::default())?;
        }
        if self.log.is_some() {
            self.log_events(last, &mut logged);
        }
        self.inject(last, None, fault, rest, None)
    }

    /// Makes a call and logs it.
    fn perform(
        &mut self,
        target: &mut InProcess,
        snapshot: &Snapshot,
        options: &CallOptions,
    ) -> Result<CallResult, BackendError> {
        let result = target.call(&snapshot.call, options)?;
        if self.log.is_some() {
            let text = format!("{} -> {}", call_text(&snapshot.call), end_text(result.end));
            self.log_line(snapshot, "CALL", &text);
            for command in &result.commands {
                self.log_line(snapshot, "NVRAM", &command_text(command));
            }
            for operation in &result.operations {
                self.log_line(snapshot, "FLASH", &operation.to_string());
            }
        }
        Ok(result)
    }

    /// Makes the same call with processes, and compares its end and what it leaves in `target`.
    fn compare(
        &mut self,
        shadow: &mut Option<InProcess>,
        target: &InProcess,
        snapshot: &Snapshot,
        (options, expected): (&CallOptions, &CallResult),
    ) -> Result<(), BackendError> {
        let Some(shadow) = shadow else { return Ok(()) };
        let found = shadow.call(&snapshot.call, options)?;
        let (ours, theirs) = (target.device(), shadow.device());
        let power_stays = found.end != CallEnd::PowerLost;
        let same = [
            (expected.end == found.end, "how the call ends"),
            (expected.commands == found.commands, "nvram commands"),
            (expected.operations == found.operations, "flash operations"),
            (ours.flash_bytes() == theirs.flash_bytes(), "the flash"),
            (!power_stays || ours.ram_bytes() == theirs.ram_bytes(), "RAM"),
        ];
        for (_, what) in same.into_iter().filter(|(same, _)| !same) {
            self.differences.push(format!("{what} differs after `{}`", call_text(&snapshot.call)));
        }
        Ok(())
    }

    fn log_line(&mut self, snapshot: &Snapshot, kind: &str, text: &str) {
        let Some(log) = &mut self.log else { return };
        let clock = snapshot.clocks.now();
        let step = snapshot.step;
        log.push(format!("{step:>4} {:>10} {:>8} {kind:<6} {text}", clock.wall, clock.mono));
    }
}
