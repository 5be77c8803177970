//! Case reports, gathered by scenario file.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use runner::{CaseReport, Tally, Verdict};
use scenario::Case;

/// What became of the cases of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its title.
    pub title: String,
    /// Its cases.
    pub cases: Vec<CaseReport>,
    /// Whether to print each script call.
    pub verbose: bool,
}

impl FileReport {
    /// The report of cases of one file, all of them done.
    pub fn of(cases: &[Case], reports: &[Option<CaseReport>], verbose: bool) -> Self {
        Self {
            path: cases[0].source.path.clone(),
            title: cases[0].scenario.title.clone(),
            cases: reports.iter().flatten().cloned().collect(),
            verbose,
        }
    }

    /// What all its cases cost.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for case in &self.cases {
            total.add(&case.total);
        }
        total
    }

    /// How many cases ended so.
    pub fn count(&self, wanted: fn(&Verdict) -> bool) -> usize {
        self.cases.iter().filter(|case| wanted(&case.verdict)).count()
    }

    /// Real time of all its cases.
    pub fn took(&self) -> Duration {
        self.cases.iter().map(|case| case.took).sum()
    }
}

/// The indices of the file's cases that begin at `first`, if all of them are done.
pub fn next_file(
    cases: &[Case],
    reports: &[Option<CaseReport>],
    first: usize,
) -> Option<Range<usize>> {
    let path = &cases.get(first)?.source.path;
    let length = cases[first..].iter().take_while(|case| case.source.path == *path).count();
    let range = first..first + length;
    reports[range.clone()].iter().all(Option::is_some).then_some(range)
}

/// All reports by file.
pub fn by_file(cases: &[Case], reports: Vec<CaseReport>) -> Vec<FileReport> {
    let reports: Vec<Option<CaseReport>> = reports.into_iter().map(Some).collect();
    let mut files = Vec::new();
    let mut first = 0;
    while let Some(range) = next_file(cases, &reports, first) {
        first = range.end;
        files.push(FileReport::of(&cases[range.clone()], &reports[range], false));
    }
    files
}

/// The last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Files.
    pub scenarios: usize,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases that these options cannot run.
    pub skipped: usize,
}

impl Summary {
    /// Counts.
    pub fn of(files: &[FileReport]) -> Self {
        let count =
            |wanted: fn(&Verdict) -> bool| files.iter().map(|file| file.count(wanted)).sum();
        Self {
            scenarios: files.len(),
            passed: count(|verdict| *verdict == Verdict::Passed),
            failed: count(|verdict| *verdict == Verdict::Failed),
            skipped: count(|verdict| matches!(verdict, Verdict::Skipped(_))),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenarios, passed, failed, skipped } = self;
        write!(
            f,
            "{scenarios} scenarios: {passed} cases passed, {failed} failed, {skipped} skipped"
        )
    }
}
