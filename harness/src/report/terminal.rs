//! Results on the terminal: a progress bar, and a line for each scenario file.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use lab_report::{printable, printable_lines};

use super::{CaseOutcome, FileReport};
use crate::shown::Shown as _;
use crate::style::{FAILED, PASSED, SKIPPED};
use runner::{Finding, Verdict};
use scenario::{Case, quantity};

/// A progress bar, shown only where stderr is a terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for this number of cases.
    pub fn new(cases: usize) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(cases as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} cases  {elapsed}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Counts one more case as done.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// Prints the results of a file.
    pub fn print(&self, file: &FileReport) {
        self.bar.suspend(|| print_file(file));
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn print_file(file: &FileReport) {
    let failed = file.count(|verdict| matches!(verdict, Verdict::Failed | Verdict::Invalid(_)));
    let skipped = file.count(|verdict| matches!(verdict, Verdict::Skipped(_)));
    let (colour, word) = match (failed, skipped) {
        (0, skipped) if skipped == file.cases.len() => (SKIPPED, "SKIP"),
        (0, _) => (PASSED, "ok"),
        _ => (FAILED, "FAIL"),
    };
    let total = file.total();
    let cases = match failed {
        0 => quantity(file.cases.len(), "case"),
        failed => format!("{failed}/{}", quantity(file.cases.len(), "case")),
    };
    outln!(
        "{colour}{word:<5}{colour:#}{:<70} {cases:>13} {:>12} {:>13} {:>12}  {:>6.2} s",
        printable(&file.path.to_string_lossy()),
        quantity(total.calls, "call"),
        quantity(total.commits, "commit"),
        quantity(total.erases, "erase"),
        file.took().as_secs_f64(),
    );
    for case in &file.cases {
        print_case(case, file.verbose);
    }
}

fn print_case(outcome: &CaseOutcome, verbose: bool) {
    let case = &outcome.report;
    if verbose {
        outln!("     {}", printable(&case.name));
        for line in &case.log {
            outln!("       {line}");
        }
    }
    match &case.verdict {
        Verdict::Passed if verbose => {
            for finding in &case.failures {
                outln!("{}", finding_text(finding));
            }
        }
        Verdict::Passed => {}
        Verdict::Skipped(why) => {
            outln!(
                "     {SKIPPED}SKIPPED{SKIPPED:#} {}: {}",
                printable(&case.name),
                printable(why)
            );
        }
        Verdict::Invalid(error) => {
            outln!("     {FAILED}INVALID{FAILED:#} {}", printable(&case.name));
            for line in printable_lines(&error.to_string()).lines() {
                outln!("       {line}");
            }
            outln!("       reproduce: {}", outcome.run);
        }
        Verdict::Failed => {
            let findings = quantity(case.failures.len(), "finding");
            if verbose {
                outln!("     {FAILED}FAILED{FAILED:#}  {}: {findings}", printable(&case.name));
            }
        }
    }
}

/// A finding as one line.
pub fn finding_text(finding: &Finding) -> String {
    format!(
        "       step {} (line {}): {}: {}: {}",
        finding.step,
        finding.line,
        finding.severity.name(),
        finding.kind.name(),
        printable(&finding.text)
    )
}

/// Says so on stderr if scripts saw the machine's clock instead of the router's.
pub fn print_clock_note<'a>(outcomes: impl IntoIterator<Item = &'a CaseOutcome>) {
    let mut reasons = outcomes.into_iter().filter_map(|it| it.report.machine_clock.as_ref());
    if let Some(why) = reasons.next() {
        errln!(
            "note: scripts saw this machine's clock instead of the router's, because {}: what they do with `date` or with \
             the times of files is not judged as on a router",
            printable(why)
        );
    }
}

/// Prints the claims of the notes of 2006 with what the scenarios measured.
pub fn print_claims(cases: &[Case]) {
    let mut last = None;
    for case in cases {
        let (path, Some(claim)) = (&case.source.path, &case.scenario.claim) else { continue };
        if last == Some(path) {
            continue;
        }
        last = Some(path);
        outln!("claim    {}", claim.text);
        outln!("  naive    {}", claim.naive);
        outln!("  ours     {}", claim.ours);
        outln!("  verdict  {}", claim.verdict);
        outln!("  measured {}", path.shown());
    }
}
