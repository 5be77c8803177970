//! Plays the cases of the suite.

use rayon::prelude::*;

use crate::cli::options::{ReplayOptions, RouterOptions};
use crate::cli::play::outcome_of;
use crate::cli::reproduction::PlayedOn;
use crate::error::CommandError;
use crate::report::{CaseOutcome, Progress};
use crate::run_case::{BackendChoice, run_case};
use crate::words::Words;
use runner::Options;
use scenario::Case;

/// Plays the cases on all threads of the current pool, and returns their outcomes in the same order.
///
/// # Errors
/// The first back end that fails.
pub(super) fn play(
    cases: &[Case],
    options: &Options,
    (router, replay): (&RouterOptions, &ReplayOptions),
) -> Result<Vec<CaseOutcome>, CommandError> {
    let progress = Progress::new(cases.len());
    let outcomes: Result<Vec<CaseOutcome>, CommandError> = cases
        .par_iter()
        .map(|case| {
            let report = run_case(case, options, &BackendChoice::Modelled)?;
            progress.advance();
            let on = (PlayedOn::Model, &["run"][..]);
            let run = run_again(case, router, replay);
            Ok(CaseOutcome { run, ..outcome_of(case, report, on, router, replay) })
        })
        .collect();
    progress.finish();
    outcomes
}

/// The shortest command that runs just this case.
fn run_again(case: &Case, router: &RouterOptions, replay: &ReplayOptions) -> Words {
    let mut words = Words::new(&["leaselab", "run"]);
    words.argument(case.source.path.to_string_lossy());
    let parameters = case.parameters_text();
    words.option("--filter", (!parameters.is_empty()).then(|| format!("[{parameters}]")));
    router.add_to(&mut words);
    replay.add_to(&mut words);
    words
}
