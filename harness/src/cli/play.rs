//! Plays cases on all threads and reports them.

use std::sync::mpsc;
use std::thread;

use lab_report::Document;
use rayon::prelude::*;

use super::options::{ReplayOptions, RouterOptions, RunOptions};
use super::reproduction::{PlayedOn, Reproduction, ReproductionId};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report::{self, CaseOutcome, Detail, FileReport, Progress, Summary};
use crate::run_case::{BackendChoice, run_case};
use crate::suite::Suite;
use crate::words::Words;
use runner::{CaseReport, Options, Verdict};
use scenario::{Case, Id, quantity};

/// Cases, and how to play them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Play<'a> {
    /// The cases, and those that are left out.
    pub(super) suite: &'a Suite,
    pub(super) options: &'a Options,
    pub(super) backend: &'a BackendChoice,
    pub(super) run: &'a RunOptions,
    /// The subcommand, for the command that repeats a case.
    pub(super) command: &'a [&'a str],
    /// The options that the command needs again.
    pub(super) replay: &'a ReplayOptions,
    /// How to play the cases that are outside a sample.
    pub(super) outside: Option<OutsideSample<'a>>,
}

/// How to play the cases that are outside a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutsideSample<'a> {
    /// For each case, whether it is in the sample.
    pub(super) sample: &'a [bool],
    pub(super) options: &'a Options,
    pub(super) replay: &'a ReplayOptions,
}

/// Plays the cases and writes the reports.
///
/// # Errors
/// The first back end that fails; a report that cannot be written.
pub(super) fn play(play: &Play<'_>) -> Result<Summary, CommandError> {
    let Play { suite, run, .. } = *play;
    let cases = &suite.cases;
    run.reports.check_writable()?;
    let outcomes = play_all(play)?;
    let left_out = outcomes.iter().filter(|outcome| outcome.is_none()).count();
    // Cases that were not started are in no report.
    let (cases, outcomes): (Vec<Case>, Vec<CaseOutcome>) = cases
        .iter()
        .zip(outcomes)
        .filter_map(|(case, outcome)| Some((case.clone(), outcome?)))
        .unzip();
    let files = report::by_file(&cases, outcomes);
    if left_out > 0 {
        outln!("{} not run, because one has failed (--fail-fast)", quantity(left_out, "case"));
    }
    let cases_report = report::cases_report(run.script.script.as_deref(), &files, &suite.unsuited);
    if let Some(path) = &run.reports.junit {
        report::write_junit(path, &files)?;
    }
    let detail = if run.verbose { Detail::All } else { Detail::Some };
    report::print_failures(&cases_report.failures, detail);
    report::print_groups(&cases_report.groups);
    if let Some(forge) = run.annotate {
        report::print_annotations(forge, &cases_report);
    }
    run.reports.write(&match play.backend {
        BackendChoice::Modelled => Document::Run(cases_report),
        BackendChoice::Live(_) => Document::Live(cases_report),
        BackendChoice::Qemu(_) => Document::Qemu(cases_report),
    })?;
    Ok(Summary::of(&files))
}

/// Prints the names of cases, as `--filter` and reports know them.
pub(super) fn list(cases: &[Case]) -> Exit {
    for case in cases {
        outln!("{}", lab_report::printable(&case.name()));
    }
    Exit::Passed
}

/// Prints the last line of a run.
pub(super) fn finish(summary: &Summary) -> Exit {
    outln!("{summary}");
    match summary {
        Summary { failed: 0, .. } => Exit::Passed,
        Summary { failed, invalid, .. } if failed == invalid => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// Plays the cases on all threads; prints them file by file in their order. With `--fail-fast`, the cases that were not
/// started have no outcome.
fn play_all(play: &Play<'_>) -> Result<Vec<Option<CaseOutcome>>, CommandError> {
    let Play { suite, run, .. } = *play;
    let cases = &suite.cases;
    let pool = run.jobs.pool()?;
    let (send, receive) = mpsc::channel();
    let mut outcomes: Vec<Option<CaseOutcome>> = vec![None; cases.len()];
    let progress = Progress::new(cases.len());
    thread::scope(|scope| {
        scope.spawn(|| {
            pool.install(|| {
                cases.par_iter().enumerate().try_for_each_with(send, |send, (index, case)| {
                    let result = run_case(case, play.how(index).0, play.backend);
                    let is_last = match &result {
                        Ok(report) => run.fail_fast && has_failed(report),
                        Err(_) => true,
                    };
                    // The receiver is gone after the first error.
                    let sent = send.send((index, result)).is_ok();
                    (sent && !is_last).then_some(())
                })
            })
        });
        let mut next = 0;
        for (index, result) in receive {
            let outcome = play.outcome(index, result?);
            if let (Some(folder), Verdict::Failed) = (&run.keep, &outcome.report.verdict) {
                report::keep(folder, &cases[index], &outcome.report)?;
            }
            outcomes[index] = Some(outcome);
            progress.advance();
            while let Some(file) = report::next_file(cases, &outcomes, next) {
                let report =
                    FileReport::of(&cases[file.clone()], &outcomes[file.clone()], run.verbose);
                progress.print(&report);
                next = file.end;
            }
        }
        // Files of which only some cases were played.
        while let Some(file) = report::file_at(cases, next) {
            let report = FileReport::of(&cases[file.clone()], &outcomes[file.clone()], run.verbose);
            if !report.cases.is_empty() {
                progress.print(&report);
            }
            next = file.end;
        }
        Ok::<(), CommandError>(())
    })?;
    progress.finish();
    report::print_clock_note(outcomes.iter().flatten());
    Ok(outcomes)
}

fn has_failed(report: &CaseReport) -> bool {
    matches!(report.verdict, Verdict::Failed | Verdict::Invalid(_))
}

impl Play<'_> {
    /// The options of one case, for the runner and for its reproduction.
    fn how(&self, index: usize) -> (&Options, &ReplayOptions) {
        match &self.outside {
            Some(outside) if !outside.sample[index] => (outside.options, outside.replay),
            _ => (self.options, self.replay),
        }
    }

    fn outcome(&self, index: usize, report: CaseReport) -> CaseOutcome {
        let (case, (_, options)) = (&self.suite.cases[index], self.how(index));
        let on = match self.backend {
            BackendChoice::Modelled => PlayedOn::Model,
            BackendChoice::Live(_) => PlayedOn::Live,
            BackendChoice::Qemu(_) => PlayedOn::Qemu,
        };
        outcome_of(case, report, (on, self.command), &self.run.cases.router, options)
    }
}

/// The outcome of a case that was played by a command, with the commands that repeat it.
pub(super) fn outcome_of(
    case: &Case,
    report: CaseReport,
    (on, command): (PlayedOn, &[&str]),
    router: &RouterOptions,
    options: &ReplayOptions,
) -> CaseOutcome {
    let id = ReproductionId::Case(on, Id::new(case, &[]));
    let replay = Reproduction { id, verbose: true, options: options.clone() };
    let run = run_again(case, command, router, options);
    let parameters = report::parameters(case);
    CaseOutcome { report, parameters, run, replay: replay.words() }
}

/// The command that runs just this case in the same way, even after the scenario has changed.
pub(super) fn run_again(
    case: &Case,
    command: &[&str],
    router: &RouterOptions,
    options: &ReplayOptions,
) -> Words {
    let mut words = Words::new(&["leaselab"]);
    words.extend(&Words::new(command));
    words.argument(case.source.path.to_string_lossy());
    // No argument can contain a NUL byte; without a filter, the whole file runs.
    words.option("--filter", Some(case.name()).filter(|name| !name.contains('\0')));
    words.flag("--verbose", true);
    router.add_to(&mut words);
    options.add_to(&mut words);
    words
}
