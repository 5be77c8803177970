//! The results and caches of one search task. Tasks run in parallel and are merged in their order, so that the report is
//! the same on any number of threads.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::boot_result::{BootResult, InitOutputs};
use super::call_position::RunPhase;
use super::judgement::Judgement;
use super::point_kind::{PerKind, PointCount, PointKind};
use super::report::Report;
use super::{Options, Violation, VulnerabilityWindow};
use runner::Severity;
use scenario::digest::BuildIdentityHasher;
use scenario::{Case, Id, Invariant, ScheduledFault};

/// The cache of boots is cleared when it has this many entries.
const MAX_BOOTS: usize = 256;

/// One judged state.
#[derive(Debug)]
struct JudgedState {
    state: u128,
    kind: PointKind,
    phase: RunPhase,
    judgement: Judgement,
    /// Index in `schedules`, if the report lists all states.
    schedule: Option<usize>,
}

/// The results and caches of one task.
#[derive(Debug, Default)]
pub(super) struct SearchTask {
    points: PerKind<u64>,
    /// States that were judged.
    states: HashSet<u128, BuildIdentityHasher>,
    /// Flash operations that were cut.
    cut_operations: HashSet<u128, BuildIdentityHasher>,
    /// Flash contents from which a recovery was explored.
    recovered: HashSet<u128, BuildIdentityHasher>,
    /// Flash images that were booted.
    images: HashSet<u128, BuildIdentityHasher>,
    boots: HashMap<u128, Arc<BootResult>, BuildIdentityHasher>,
    outputs: InitOutputs,
    judged: Vec<JudgedState>,
    schedules: Vec<Vec<ScheduledFault>>,
    /// Judgements of calls without a fault.
    undisturbed: Vec<Judgement>,
    /// The kinds of violations so far.
    violations: HashSet<(Invariant, Severity, String)>,
    pub(super) window: VulnerabilityWindow,
    pub(super) took: Duration,
}

impl SearchTask {
    /// Counts a point. Returns whether its state is new.
    pub(super) fn count_point(&mut self, kind: PointKind, phase: RunPhase, state: u128) -> bool {
        self.count_known_points(kind, phase, 1);
        self.states.insert(state)
    }

    /// Counts points whose state is known already.
    pub(super) fn count_known_points(&mut self, kind: PointKind, phase: RunPhase, points: u64) {
        for kind in phase.kinds(kind) {
            *self.points.get_mut(kind) += points;
        }
    }

    /// Marks a flash operation as cut. Returns whether it was new.
    pub(super) fn mark_cut_operation(&mut self, operation: u128) -> bool {
        self.cut_operations.insert(operation)
    }

    /// Marks a state as the start of a recovery. Returns whether it was new.
    pub(super) fn mark_recovered(&mut self, start: u128) -> bool {
        self.recovered.insert(start)
    }

    /// The result of booting from the flash with this fingerprint: the cached one, or that of `boot`.
    pub(super) fn boot(
        &mut self,
        flash: u128,
        options: Options,
        boot: impl FnOnce(&mut InitOutputs) -> BootResult,
    ) -> Arc<BootResult> {
        self.images.insert(flash);
        if options.repeat {
            return Arc::new(boot(&mut InitOutputs::default()));
        }
        if self.boots.len() >= MAX_BOOTS {
            self.boots.clear();
        }
        let outputs = &mut self.outputs;
        Arc::clone(self.boots.entry(flash).or_insert_with(|| Arc::new(boot(outputs))))
    }

    /// Whether this is the first violation of its kind.
    pub(super) fn is_new_kind(&mut self, violation: &Violation) -> bool {
        self.violations.insert((violation.invariant, violation.severity, violation.shape()))
    }

    pub(super) fn add_judged(
        &mut self,
        state: u128,
        (kind, phase): (PointKind, RunPhase),
        judgement: Judgement,
        schedule: Option<Vec<ScheduledFault>>,
    ) {
        let schedule = schedule.map(|schedule| {
            self.schedules.push(schedule);
            self.schedules.len() - 1
        });
        self.judged.push(JudgedState { state, kind, phase, judgement, schedule });
    }

    /// Adds the judgement of a call without a fault.
    pub(super) fn add_undisturbed(&mut self, judgement: Judgement) {
        self.undisturbed.push(judgement);
    }
}

/// Merges tasks into a report. A state that an earlier task has judged is not counted again.
pub(super) fn merge(case: &Case, tasks: Vec<SearchTask>, options: Options) -> Report {
    let mut report = Report::default();
    let mut states: HashSet<u128, BuildIdentityHasher> = HashSet::default();
    let mut images: HashSet<u128, BuildIdentityHasher> = HashSet::default();
    for mut task in tasks {
        for kind in PointKind::ALL {
            let points = *task.points.get_mut(kind);
            if points > 0 {
                report.coverage.entry(kind).or_insert_with(PointCount::default).points += points;
            }
            if kind.is_position_in_call() {
                report.points += points;
            }
        }
        images.extend(task.images);
        for judged in task.judged {
            let distinct = states.insert(judged.state);
            if distinct {
                report.distinct += 1;
                for kind in judged.phase.kinds(judged.kind) {
                    report.coverage.entry(kind).or_default().distinct += 1;
                }
            } else if !options.repeat {
                continue;
            }
            report.checked += 1;
            if let Some(schedule) = judged.schedule {
                let id = Id::new(case, &task.schedules[schedule]);
                report.listed.push((id, judged.judgement.verdict()));
            }
            report.add_judgement(judged.judgement);
        }
        for judgement in task.undisturbed {
            report.add_judgement(judgement);
        }
        report.window.commits += task.window.commits;
        report.window.open += task.window.open;
        report.took += task.took;
    }
    report.images = images.len() as u64;
    report
}
