//! The search: every point of every call, and of what follows.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use super::boot::Wanted;
use super::kind::Kind;
use super::part::{Outcome, Part, add_up};
use super::report::{Breach, Report};
use backend::{CallTrace, CommandSnapshot, Function, is_reading};
use dnsmasq_model::ScriptCall;
use runner::expected::{Expected, changes};
use runner::lines::{self, Lines};
use runner::nvram_state::NvramState;
use runner::recorder::Snapshot;
use runner::{Fault, Recording, record};
use scenario::digest;
use scenario::{Case, Invariant};
use scenario::{FaultPoint, Id, ScheduledFault};

/// Into how many parts an exploration is divided; not more than there are calls. What one part has seen the
/// others do not know, so that none waits for another and every run counts alike.
const PARTS: usize = 8;

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
    let began = processor_time();
    let processes = match &script {
        Some(Function::Process(processes)) => Some(Arc::clone(processes)),
        _ => None,
    };
    let recording = match record(case, script)? {
        Ok(recording) => recording,
        Err(why) => return Ok(Err(why)),
    };
    let recorded = processor_time().saturating_sub(began);
    let explorer = Explorer::new(case, &recording, options);
    let calls = recording.recorder.snapshots.len();
    let length = calls.div_ceil(PARTS).max(1);
    let parts: Vec<Part> = (0..calls.div_ceil(length))
        .into_par_iter()
        .map(|part| explorer.part(part * length..((part + 1) * length).min(calls)))
        .collect();
    if let Some(fault) = processes.and_then(|processes| processes.take_error()) {
        return Err(fault.into());
    }
    let mut report = add_up(case, parts, options);
    report.took += recorded;
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

impl Stage {
    /// The kinds of a point in this stage: where in a call, and when.
    pub(super) fn kinds(self, kind: Kind) -> impl Iterator<Item = Kind> {
        let when = match self {
            Self::First => None,
            Self::Recovery => Some(Kind::Recovery),
            Self::Afterwards => Some(Kind::Afterwards),
        };
        [Some(kind), when].into_iter().flatten()
    }
}

/// A call of the search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    /// The strikes that led here.
    pub(super) stops: &'p [ScheduledFault],
    /// Number of the call since the last of them, from 1.
    pub(super) ordinal: u32,
    pub(super) stage: Stage,
    /// How many strikes are left.
    pub(super) depth: u32,
}

impl Place<'_> {
    pub(super) fn schedule(&self, strike: FaultPoint) -> Vec<ScheduledFault> {
        let mut stops = self.stops.to_vec();
        stops.push(ScheduledFault { call: self.ordinal, strike });
        stops
    }
}

pub(super) struct Explorer<'e> {
    pub(super) case: &'e Case,
    pub(super) recording: &'e Recording,
    pub(super) options: Options,
}

impl<'e> Explorer<'e> {
    pub(super) fn new(case: &'e Case, recording: &'e Recording, options: Options) -> Self {
        Self { case, recording, options }
    }

    /// What the names of the leases' variables begin with.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.recording.prefix
    }

    /// Explores some calls of the undisturbed run.
    fn part(&self, calls: std::ops::Range<usize>) -> Part {
        let began = processor_time();
        let moments = &self.recording.recorder.snapshots;
        let mut part = Part::default();
        for index in calls {
            let place = Place {
                stops: &[],
                ordinal: index as u32 + 1,
                stage: Stage::First,
                depth: self.options.depth,
            };
            let next = moments.get(index + 1).map(|moment| &moment.call);
            self.call(&mut moments[index].clone(), place, next, &mut part);
        }
        part.took = processor_time().saturating_sub(began);
        part
    }

    /// The world after an undisturbed call; what it broke.
    pub(super) fn finish(
        &self,
        moment: &mut Snapshot,
        trail: &CallTrace,
        place: Place<'_>,
        part: &mut Part,
    ) -> Option<Outcome> {
        let mut outcome = None;
        let wanted = changes(&moment.call);
        let reads =
            |step: &CommandSnapshot| step.arguments.first().is_some_and(|word| is_reading(word));
        if !trail.steps.iter().all(reads) {
            let board = moment.target.board();
            let now = NvramState::of(board, &self.recording.prefix, Some(&moment.nvram));
            let saved = moment.nvram.ram == moment.nvram.flash && now.flash == moment.nvram.flash;
            let operations = trail.steps.iter().map(|step| step.operations.len()).sum::<usize>();
            // A script killed between `commit` and its end cannot know that it is done: one commit too many.
            let owed =
                matches!(place.stops, [.., ScheduledFault { strike: FaultPoint::Kill(..), .. }]);
            if saved && operations > 0 && !owed && place.stage != Stage::First {
                let text = format!("{operations} flash operations, and nothing stored changed");
                let breach = vec![(Invariant::NoRedundantWrites, text)];
                outcome = Some(self.broken(breach, moment, &place.schedule(FaultPoint::Ended)));
            }
            moment.nvram = now;
        }
        if trail.outcome.exit != 0 {
            doubt(&mut moment.expected, wanted);
            return outcome;
        }
        let acknowledges = !wanted.is_empty();
        if !moment.expected.knows(&wanted) {
            Arc::make_mut(&mut moment.expected).acknowledged(wanted);
        }
        if acknowledges && moment.expected.is_in_doubt() {
            // The contract: this call has made good what an earlier one had left.
            let actual = self.stored(moment, part);
            Arc::make_mut(&mut moment.expected).settle(&actual);
        }
        outcome
    }

    /// The leases that `init` prints now.
    fn stored(&self, moment: &Snapshot, part: &mut Part) -> Lines {
        if moment.nvram.ram.is_load_of(&moment.nvram.flash) && !self.options.repeat {
            // The next boot reads the same, and is looked at anyway.
            let router = &moment.target;
            let flash = router.board().flash().fingerprint();
            let boot = self.boot(flash, || Cow::Owned(router.rebooted()), part);
            if boot.output.is_parsable() {
                return boot.output.leases.lines().clone();
            }
        }
        let (init, _) = moment.target.read_init();
        lines::read(&init.stdout).unwrap_or_default()
    }

    pub(super) fn wanted<'w>(&'w self, moment: &'w Snapshot, expected: &'w Expected) -> Wanted<'w> {
        Wanted {
            expected,
            views: &moment.nvram,
            tolerance: moment.tolerance,
            prefix: &self.recording.prefix,
        }
    }

    pub(super) fn broken(
        &self,
        breaches: Vec<(Invariant, String)>,
        moment: &Snapshot,
        schedule: &[ScheduledFault],
    ) -> Outcome {
        let declared = |invariant: Invariant| {
            let breaks = &self.case.scenario.breaks;
            breaks.iter().any(|b| b.invariant == invariant && self.case.matches(&b.when))
        };
        if breaches.iter().all(|(invariant, _)| declared(*invariant)) {
            return Outcome::Declared;
        }
        let undeclared = breaches.into_iter().filter(|(invariant, _)| !declared(*invariant));
        let breach = |(invariant, text)| {
            let id = Id::new(self.case, schedule);
            Breach { invariant, text, step: moment.step, id }
        };
        Outcome::Broken(undeclared.map(breach).collect())
    }
}

/// A call did not return 0: what it wanted may be stored or not.
pub(super) fn doubt(expected: &mut Arc<Expected>, wanted: Vec<runner::expected::Change>) {
    if !expected.knows(&wanted) {
        Arc::make_mut(expected).in_doubt(wanted);
    }
}

/// A fingerprint of a call.
pub(super) fn call_key(call: &ScriptCall) -> u64 {
    digest::of(&(&call.argv, &call.env))
}

/// What this thread has had of a processor so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
