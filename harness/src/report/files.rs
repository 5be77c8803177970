//! Case reports by scenario file.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::words::Words;
use runner::{CaseReport, Tally, Verdict};
use scenario::{Case, Group, quantity};

/// A case that was played, and the commands that repeat it.
#[derive(Clone, Debug)]
pub struct CaseOutcome {
    /// What the runner found.
    pub report: CaseReport,
    /// The parameters of the scenario's matrix, by name.
    pub parameters: BTreeMap<String, String>,
    /// The command that runs just this case in the same way, even after the scenario has changed.
    pub run: Words,
    /// The command that runs it by its id, and refuses when the scenario has changed.
    pub replay: Words,
}

/// The results of the cases of one scenario file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The scenario file.
    pub path: PathBuf,
    /// The title of the scenario.
    pub title: String,
    /// The group to which it belongs, if it names one.
    pub group: Option<Group>,
    /// The cases, in the order of the file.
    pub cases: Vec<CaseOutcome>,
    /// Whether to print each script call.
    pub verbose: bool,
}

impl FileReport {
    /// The report of the cases of one file, all of which are done.
    pub fn of(cases: &[Case], outcomes: &[Option<CaseOutcome>], verbose: bool) -> Self {
        Self {
            path: cases[0].source.path.clone(),
            title: cases[0].scenario.title.clone(),
            group: cases[0].scenario.group,
            cases: outcomes.iter().flatten().cloned().collect(),
            verbose,
        }
    }

    /// The report of one case, without the commands that repeat it.
    pub fn of_one(case: &Case, report: CaseReport) -> Self {
        let (run, replay) = (Words::default(), Words::default());
        let outcome = CaseOutcome { report, parameters: parameters(case), run, replay };
        Self::of(std::slice::from_ref(case), &[Some(outcome)], true)
    }

    /// The cost of all cases.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for case in &self.cases {
            total.add(&case.report.total);
        }
        total
    }

    /// The number of cases whose verdict `wanted` accepts.
    pub fn count(&self, wanted: fn(&Verdict) -> bool) -> usize {
        self.cases.iter().filter(|case| wanted(&case.report.verdict)).count()
    }

    /// The sum of the cases' durations, in real time.
    pub fn took(&self) -> Duration {
        self.cases.iter().map(|case| case.report.took).sum()
    }
}

/// The parameters of a case, by name.
pub fn parameters(case: &Case) -> BTreeMap<String, String> {
    case.parameters.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
}

/// The indices of the cases of the file whose first case is `first`.
pub fn file_at(cases: &[Case], first: usize) -> Option<Range<usize>> {
    let path = &cases.get(first)?.source.path;
    let length = cases[first..].iter().take_while(|case| case.source.path == *path).count();
    Some(first..first + length)
}

/// Like [`file_at`], if all cases of the file are done.
pub fn next_file(
    cases: &[Case],
    outcomes: &[Option<CaseOutcome>],
    first: usize,
) -> Option<Range<usize>> {
    let range = file_at(cases, first)?;
    outcomes[range.clone()].iter().all(Option::is_some).then_some(range)
}

/// The outcomes of all cases by file.
pub fn by_file(cases: &[Case], outcomes: Vec<CaseOutcome>) -> Vec<FileReport> {
    let outcomes: Vec<Option<CaseOutcome>> = outcomes.into_iter().map(Some).collect();
    let mut files = Vec::new();
    let mut first = 0;
    while let Some(range) = next_file(cases, &outcomes, first) {
        first = range.end;
        files.push(FileReport::of(&cases[range.clone()], &outcomes[range], false));
    }
    files
}

/// The counts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Number of scenario files.
    pub scenarios: usize,
    /// Number of cases that passed.
    pub passed: usize,
    /// Number of cases that failed, with the invalid ones.
    pub failed: usize,
    /// Number of cases in which the file asks for something that cannot be carried out.
    pub invalid: usize,
    /// Number of cases that cannot be run with the chosen options.
    pub skipped: usize,
}

impl Summary {
    /// Counts the cases of all files.
    pub fn of(files: &[FileReport]) -> Self {
        let count =
            |wanted: fn(&Verdict) -> bool| files.iter().map(|file| file.count(wanted)).sum();
        Self {
            scenarios: files.len(),
            passed: count(|verdict| *verdict == Verdict::Passed),
            failed: count(|verdict| matches!(verdict, Verdict::Failed | Verdict::Invalid(_))),
            invalid: count(|verdict| matches!(verdict, Verdict::Invalid(_))),
            skipped: count(|verdict| matches!(verdict, Verdict::Skipped(_))),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenarios, passed, failed, invalid, skipped } = self;
        let (scenarios, passed) = (quantity(*scenarios, "scenario"), quantity(*passed, "case"));
        write!(f, "{scenarios}: {passed} passed, {failed} failed")?;
        if *invalid > 0 {
            write!(f, " ({invalid} of them invalid)")?;
        }
        write!(f, ", {skipped} skipped")
    }
}
