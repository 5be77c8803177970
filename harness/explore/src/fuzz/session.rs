//! Many households, on all threads, in batches whose size does not depend on the threads.

use std::time::{Duration, Instant};

use nvram_emu::Dialect;
use rayon::prelude::*;

use super::coverage::Coverage;
use super::household;
use super::id::Id;
use super::trial::{Subject, Trial};
use runner::{Fault, Tally};
use scenario::Rtc;

/// Households of a batch: the first failure of a session is the first of its batch, whoever comes to it first.
pub const BATCH: u64 = 128;
/// The same where each call starts processes.
const SLOW_BATCH: u64 = 4;

/// So many households for each router, of so many events, come to every kind of event, cut, kill and failure.
const CASES_A_ROUTER: u64 = 10;
const EVENTS_FOR_COVERAGE: u64 = 2_000 * CASES_A_ROUTER;

/// When a session ends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After so many households.
    pub cases: Option<u64>,
    /// After the batch in which so much time has passed.
    pub time: Option<Duration>,
}

/// What is tried on what.
#[derive(Clone, Debug)]
pub struct Session {
    /// The seed.
    pub seed: u64,
    /// Events of each household.
    pub events: u32,
    /// The routers, in turn.
    pub routers: Vec<(Dialect, Rtc)>,
    /// `[script] use`.
    pub script: String,
}

/// The first household that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its id.
    pub id: Id,
    /// What became of it.
    pub trial: Trial,
}

/// What a session came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Households.
    pub cases: u64,
    /// Events that were done.
    pub events: u64,
    /// What the script cost.
    pub total: Tally,
    /// What was exercised.
    pub coverage: Coverage,
    /// Wall-clock time.
    pub took: Duration,
}

/// How a session ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it came to.
    pub summary: Summary,
    /// The first failure.
    pub failure: Option<Failure>,
}

impl Session {
    /// The id of case `case`.
    pub fn id(&self, case: u64) -> Id {
        let (dialect, rtc) = self.routers[(case % self.routers.len() as u64) as usize];
        Id { seed: self.seed, case, events: self.events, dialect, rtc, script: self.script.clone() }
    }

    /// Plays households until the limits or the first batch with a failure. `at_once` is told of each household that
    /// fails the moment that it does, in no order.
    ///
    /// # Errors
    /// When a target fails.
    pub fn run(
        &self,
        suspect: &Subject,
        limits: Limits,
        at_once: &(impl Fn(&Id) + Sync),
    ) -> Result<Outcome, Fault> {
        let began = Instant::now();
        let batch = if suspect.is_slow() { SLOW_BATCH } else { BATCH };
        let last = limits.cases.unwrap_or(u64::MAX);
        let mut summary = Summary::default();
        let mut failure = None;
        let mut first = 0;
        while first < last && failure.is_none() && limits.time.is_none_or(|t| began.elapsed() < t) {
            let next = last.min(first + batch);
            let played: Vec<Played> = (first..next)
                .into_par_iter()
                .map(|case| {
                    let played = Played::of(self.id(case), suspect)?;
                    played.failure.iter().for_each(|failure| at_once(&failure.id));
                    Ok(played)
                })
                .collect::<Result<_, Fault>>()?;
            for one in played {
                summary.add(&one);
                failure = failure.or(one.failure);
            }
            first = next;
        }
        summary.took = began.elapsed();
        Ok(Outcome { summary, failure })
    }

    /// The kinds that a session came never to; and whether it went through so little that this means nothing.
    pub fn missing(&self, summary: &Summary) -> (Vec<String>, bool) {
        let routers = self.routers.iter().map(|(dialect, rtc)| {
            let rtc = if *rtc == Rtc::Good { "good" } else { "broken" };
            format!("{dialect} rtc={rtc}")
        });
        let enough = summary.cases >= CASES_A_ROUTER.min(2) * self.routers.len() as u64
            && summary.events >= EVENTS_FOR_COVERAGE;
        (summary.coverage.missing(routers), !enough)
    }
}

impl Session {
    /// How many events a session must go through before it is judged by what it never came to.
    pub fn events_for_coverage() -> u64 {
        EVENTS_FOR_COVERAGE
    }
}

struct Played {
    coverage: Coverage,
    events: u64,
    total: Tally,
    failure: Option<Failure>,
}

impl Played {
    fn of(id: Id, suspect: &Subject) -> Result<Self, Fault> {
        let mut trial = suspect.try_out(household::draw(&id))?;
        let mut coverage = Coverage::default();
        coverage.add_trial(&trial);
        let (events, total) = (trial.events(), std::mem::take(&mut trial.total));
        let failure = trial.failure().is_some().then_some(Failure { id, trial });
        Ok(Self { coverage, events, total, failure })
    }
}

impl Summary {
    fn add(&mut self, played: &Played) {
        self.cases += 1;
        self.events += played.events;
        self.total.add(&played.total);
        self.coverage.add(&played.coverage);
    }
}
