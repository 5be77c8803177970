//! What one part of an exploration has seen. Parts run beside each other and are added up in their order, so that
//! the sum is the same on any number of threads.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::boot::{Boot, Outputs};
use super::explore::Stage;
use super::kind::{Count, Kind, Kinds};
use super::report::{Breach, Report, Window};
use super::{Options, Verdict};
use scenario::Case;
use scenario::digest::BuildIdentityHasher;
use scenario::{Id, ScheduledFault};

/// With so many boots kept, they are forgotten: what is forgotten is loaded again.
const MAX_BOOTS: usize = 256;

/// One cut that was judged.
#[derive(Debug)]
struct Judged {
    state: u128,
    kind: Kind,
    stage: Stage,
    outcome: Outcome,
    /// Place in `schedules`, where they are kept.
    schedule: Option<usize>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Kept,
    Lost,
    /// As the scenario says.
    Declared,
    Broken(Vec<Breach>),
}

impl Outcome {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Kept => Verdict::Kept,
            Self::Lost => Verdict::Lost,
            Self::Declared | Self::Broken(_) => Verdict::Broken,
        }
    }
}

/// One part.
#[derive(Debug, Default)]
pub(super) struct Part {
    points: Kinds<u64>,
    /// States that were judged.
    states: HashSet<u128, BuildIdentityHasher>,
    /// Flash operations that were torn.
    torn: HashSet<u128, BuildIdentityHasher>,
    /// Boots that recovery went on from.
    recovered: HashSet<u128, BuildIdentityHasher>,
    /// Flash images that were loaded and judged.
    images: HashSet<u128, BuildIdentityHasher>,
    boots: HashMap<u128, Arc<Boot>, BuildIdentityHasher>,
    outputs: Outputs,
    judged: Vec<Judged>,
    schedules: Vec<Vec<ScheduledFault>>,
    /// What calls broke that nothing struck.
    unstruck: Vec<Outcome>,
    pub(super) window: Window,
    pub(super) took: Duration,
}

impl Part {
    /// Counts a point; whether its state is new.
    pub(super) fn point(&mut self, kind: Kind, stage: Stage, state: u128) -> bool {
        for kind in stage.kinds(kind) {
            *self.points.of(kind) += 1;
        }
        self.states.insert(state)
    }

    /// Counts points whose state was met just before.
    pub(super) fn again(&mut self, kind: Kind, stage: Stage, points: u64) {
        for kind in stage.kinds(kind) {
            *self.points.of(kind) += points;
        }
    }

    /// Whether nobody has torn this operation here before.
    pub(super) fn tears(&mut self, operation: u128) -> bool {
        self.torn.insert(operation)
    }

    /// Whether nobody has gone on from here.
    pub(super) fn goes_on(&mut self, boot: u128) -> bool {
        self.recovered.insert(boot)
    }

    /// What a boot from these bytes finds.
    pub(super) fn boot(
        &mut self,
        flash: u128,
        options: Options,
        boot: impl FnOnce(&mut Outputs) -> Boot,
    ) -> Arc<Boot> {
        self.images.insert(flash);
        if options.repeat {
            return Arc::new(boot(&mut Outputs::default()));
        }
        if self.boots.len() >= MAX_BOOTS {
            self.boots.clear();
        }
        let outputs = &mut self.outputs;
        Arc::clone(self.boots.entry(flash).or_insert_with(|| Arc::new(boot(outputs))))
    }

    pub(super) fn judged(
        &mut self,
        state: u128,
        (kind, stage): (Kind, Stage),
        outcome: Outcome,
        schedule: impl FnOnce() -> Option<Vec<ScheduledFault>>,
    ) {
        let schedule = schedule().map(|schedule| {
            self.schedules.push(schedule);
            self.schedules.len() - 1
        });
        self.judged.push(Judged { state, kind, stage, outcome, schedule });
    }

    pub(super) fn unstruck(&mut self, outcome: Outcome) {
        self.unstruck.push(outcome);
    }
}

/// Adds up parts. What a part has seen that an earlier one saw, too, is not counted again.
pub(super) fn add_up(case: &Case, parts: Vec<Part>, options: Options) -> Report {
    let mut report = Report::default();
    let mut states: HashSet<u128, BuildIdentityHasher> = HashSet::default();
    let mut images: HashSet<u128, BuildIdentityHasher> = HashSet::default();
    for mut part in parts {
        for kind in Kind::ALL {
            let points = *part.points.of(kind);
            if points > 0 {
                report.coverage.entry(kind).or_insert_with(Count::default).points += points;
            }
            if kind.is_place() {
                report.points += points;
            }
        }
        images.extend(part.images);
        for judged in part.judged {
            let distinct = states.insert(judged.state);
            if distinct {
                report.distinct += 1;
                for kind in judged.stage.kinds(judged.kind) {
                    report.coverage.entry(kind).or_default().distinct += 1;
                }
            } else if !options.repeat {
                continue;
            }
            report.checked += 1;
            if let Some(schedule) = judged.schedule {
                let id = Id::new(case, &part.schedules[schedule]);
                report.listed.push((id, judged.outcome.verdict()));
            }
            report.count(judged.outcome);
        }
        for outcome in part.unstruck {
            report.count(outcome);
        }
        report.window.commits += part.window.commits;
        report.window.open += part.window.open;
        report.took += part.took;
    }
    report.images = images.len() as u64;
    report
}
