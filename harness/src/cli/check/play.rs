//! Plays the cases of the suite.

use rayon::prelude::*;

use crate::error::CommandError;
use crate::report::Progress;
use crate::run_case::{BackendChoice, run_case};
use runner::{CaseReport, Options};
use scenario::Case;

/// Plays the cases on all threads of the current pool, and returns their reports in the same order.
///
/// # Errors
/// The first back end that fails.
pub(super) fn play(cases: &[Case], options: &Options) -> Result<Vec<CaseReport>, CommandError> {
    let progress = Progress::new(cases.len());
    let reports: Result<Vec<CaseReport>, _> = cases
        .par_iter()
        .map(|case| {
            let report = run_case(case, options, &BackendChoice::Modelled);
            progress.advance();
            report
        })
        .collect();
    progress.finish();
    Ok(reports?)
}
