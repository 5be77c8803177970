//! Plays many households in parallel, in batches of a fixed size.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nvram_emu::Dialect;
use rayon::prelude::*;

use super::HouseholdId;
use super::coverage::Coverage;
use super::generate::generate;
use super::subject::Subject;
use super::trial::Trial;
use dnsmasq_model::Release;
use runner::{CaseError, Finding, FindingKind, Severity, Tally};
use scenario::Rtc;

/// Number of households in a batch. A session reports the first failure of its batch by number, so that the report does
/// not depend on the number of threads.
const BATCH: u64 = 128;
/// Number of households in a batch if each call starts processes.
const SLOW_BATCH: u64 = 4;

/// Ten households for each router, and this many events in total, exercise every kind of event, cut, kill and failure.
const CASES_PER_ROUTER: u64 = 10;
const EVENTS_FOR_COVERAGE: u64 = 2_000 * CASES_PER_ROUTER;

/// When a session ends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After this many households.
    pub cases: Option<u64>,
    /// After the batch in which this much time has passed.
    pub time: Option<Duration>,
}

/// The households of a session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The seed of all households.
    pub seed: u64,
    /// Number of events of each household.
    pub events: u32,
    /// The dialects and builds, used in turn.
    pub routers: Vec<(Dialect, Rtc)>,
    /// The releases of dnsmasq, used in turn.
    pub releases: Vec<Release>,
    /// `[script] use`.
    pub script: String,
    /// Whether power is also cut, and the script killed, at changes of persistent files.
    pub file_faults: bool,
}

/// The first household that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The id of the household.
    pub id: HouseholdId,
    /// Its trial.
    pub trial: Trial,
}

/// The counts of a session.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Number of households.
    pub cases: u64,
    /// Number of events that were executed.
    pub events: u64,
    /// Script calls and flash operations.
    pub total: Tally,
    /// Findings that do not make a household fail, by severity and kind.
    pub allowed: BTreeMap<(Severity, FindingKind), AllowedFinding>,
    /// The kinds that were exercised.
    pub coverage: Coverage,
    /// Wall-clock time.
    pub took: Duration,
}

/// Findings of one kind that do not make a household fail.
#[derive(Clone, Debug)]
pub struct AllowedFinding {
    /// Number of findings.
    pub count: u64,
    /// The id of the household with the first one.
    pub id: HouseholdId,
    /// The first one.
    pub finding: Finding,
}

/// The result of a session.
#[derive(Clone, Debug)]
pub struct SessionResult {
    /// The counts.
    pub summary: Summary,
    /// The first failure, if any.
    pub failure: Option<Failure>,
}

impl Session {
    /// The id of case `case`.
    pub fn id(&self, case: u64) -> HouseholdId {
        let routers = self.routers.len() as u64;
        let (dialect, rtc) = self.routers[(case % routers) as usize];
        let release = self.releases[(case / routers % self.releases.len() as u64) as usize];
        HouseholdId {
            seed: self.seed,
            case,
            events: self.events,
            dialect,
            rtc,
            release,
            script: self.script.clone(),
            file_faults: self.file_faults,
        }
    }

    /// Plays households until a limit is reached or a batch has a failure. `on_failure` is called for each failing household
    /// as soon as it fails, in any order.
    ///
    /// # Errors
    /// A back end fails.
    pub fn run(
        &self,
        subject: &Subject,
        limits: Limits,
        on_failure: &(impl Fn(&HouseholdId) + Sync),
    ) -> Result<SessionResult, CaseError> {
        let began = Instant::now();
        let batch = if subject.is_slow() { SLOW_BATCH } else { BATCH };
        let last = limits.cases.unwrap_or(u64::MAX);
        let mut summary = Summary::default();
        let mut failure = None;
        let mut first = 0;
        while first < last && failure.is_none() && limits.time.is_none_or(|t| began.elapsed() < t) {
            let next = last.min(first + batch);
            let results: Vec<CaseResult> = (first..next)
                .into_par_iter()
                .map(|case| {
                    let result = CaseResult::of(self.id(case), subject)?;
                    result.failure.iter().for_each(|failure| on_failure(&failure.id));
                    Ok(result)
                })
                .collect::<Result<_, CaseError>>()?;
            for result in results {
                summary.add(&result);
                failure = failure.or(result.failure);
            }
            first = next;
        }
        summary.took = began.elapsed();
        Ok(SessionResult { summary, failure })
    }

    /// The required kinds that a session did not exercise.
    pub fn missing(&self, summary: &Summary) -> Vec<String> {
        let routers =
            self.routers.iter().map(|(dialect, rtc)| format!("{dialect} rtc={}", rtc.name()));
        summary.coverage.missing(routers)
    }

    /// Whether a session was too short to require every kind.
    pub fn is_short(&self, summary: &Summary) -> bool {
        summary.cases < CASES_PER_ROUTER.min(2) * self.routers.len() as u64
            || summary.events < EVENTS_FOR_COVERAGE
    }

    /// The number of events from which on a session must exercise every required kind.
    pub fn events_for_coverage() -> u64 {
        EVENTS_FOR_COVERAGE
    }
}

struct CaseResult {
    id: HouseholdId,
    allowed: Vec<Finding>,
    coverage: Coverage,
    events: u64,
    total: Tally,
    failure: Option<Failure>,
}

impl CaseResult {
    fn of(id: HouseholdId, subject: &Subject) -> Result<Self, CaseError> {
        let mut trial = subject.play_leniently(generate(&id))?;
        let mut coverage = Coverage::default();
        coverage.add_trial(&trial);
        let (events, total) = (trial.events(), std::mem::take(&mut trial.total));
        let allowed = std::mem::take(&mut trial.allowed);
        let failure = trial.failure().is_some().then(|| Failure { id: id.clone(), trial });
        Ok(Self { id, allowed, coverage, events, total, failure })
    }
}

impl Summary {
    fn add(&mut self, case: &CaseResult) {
        self.cases += 1;
        self.events += case.events;
        self.total.add(&case.total);
        for finding in &case.allowed {
            let kind = (finding.severity, finding.kind);
            let first =
                || AllowedFinding { count: 0, id: case.id.clone(), finding: finding.clone() };
            self.allowed.entry(kind).or_insert_with(first).count += 1;
        }
        self.coverage.add(&case.coverage);
    }
}
