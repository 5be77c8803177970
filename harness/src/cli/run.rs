//! `leaselab run`.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use rayon::prelude::*;

use super::common::Common;
use super::{Exit, Failure};
use crate::report::{self, FileReport, Progress};
use crate::run_case::{Backend, run_case};
use crate::suite::{self, Shard};
use runner::{CaseReport, Options, Verdict};
use scenario::Case;

/// The arguments of `leaselab run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(default_value = "scenarios")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
    /// Run the cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run the I-th of N equal parts of the cases
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Keep leases in a journal instead of NVRAM, in the scenarios that make sense so
    #[arg(long, value_enum)]
    pub(super) store: Option<StoreChoice>,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep what a failed case leaves: its log, flash and RAM
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
    /// Print every script call of every case
    #[arg(long)]
    verbose: bool,
    /// Print the scenarios' claims and verdicts instead of one line a file
    #[arg(long)]
    claims: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum StoreChoice {
    /// As the scenario says
    Scenario,
    /// `LEASE_STORE=journal:PATH`, which takes the Rust script
    Journal,
}

/// The cases with their leases in a journal; how many make no sense so is told.
fn into_journals(cases: Vec<Case>) -> Vec<Case> {
    let all = cases.len();
    let kept: Vec<Case> = cases.into_iter().filter_map(|case| case.into_journal().ok()).collect();
    let left_out = all - kept.len();
    anstream::eprintln!("{left_out} of {all} cases are about NVRAM, not about leases: left out");
    kept
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    run_cases(args, &args.cases()?, &args.options()?, &Backend::Modelled)
}

impl Args {
    /// The cases that the command line means.
    pub(super) fn cases(&self) -> Result<Vec<Case>, Failure> {
        let mut cases = suite::load(&self.paths, &self.common.overrides()?)?;
        if self.store == Some(StoreChoice::Journal) {
            cases = into_journals(cases);
        }
        suite::narrow(&mut cases, self.filter.as_deref(), self.shard);
        if cases.is_empty() {
            return Err(Failure::Input("no case fits these options".to_owned()));
        }
        Ok(cases)
    }

    /// How to run them.
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let mut options = self.common.options(self.verbose || self.keep.is_some())?;
        if self.store == Some(StoreChoice::Journal) {
            options.arguments.extend(["--store".to_owned(), "journal".to_owned()]);
        }
        Ok(options)
    }
}

/// Runs cases and writes the reports.
pub(super) fn run_cases(
    args: &Args,
    cases: &[Case],
    options: &Options,
    backend: &Backend,
) -> Result<Exit, Failure> {
    report::check_writable(args.junit.iter().chain(&args.json))?;
    let reports = run_all(cases, options, backend, &args.common.pool()?, args)?;
    let files = report::by_file(cases, reports);
    if let Some(path) = &args.junit {
        report::write_junit(path, &files)?;
    }
    if let Some(path) = &args.json {
        report::write_json(path, &files)?;
    }
    if args.claims {
        report::print_claims(cases);
    }
    let summary = report::Summary::of(&files);
    anstream::println!("{summary}");
    Ok(if summary.failed > 0 { Exit::Failed } else { Exit::Held })
}

/// Runs the cases on all threads; reports them file by file in their order.
fn run_all(
    cases: &[Case],
    options: &Options,
    backend: &Backend,
    pool: &rayon::ThreadPool,
    args: &Args,
) -> Result<Vec<CaseReport>, Failure> {
    let (send, receive) = mpsc::channel();
    let mut reports: Vec<Option<CaseReport>> = vec![None; cases.len()];
    let progress = Progress::new(cases.len());
    thread::scope(|scope| {
        scope.spawn(|| {
            pool.install(|| {
                cases.par_iter().enumerate().try_for_each_with(send, |send, (index, case)| {
                    let result = run_case(case, options, backend);
                    let fault = result.is_err();
                    // The receiver is gone after the first fault.
                    let sent = send.send((index, result)).is_ok();
                    (sent && !fault).then_some(())
                })
            })
        });
        let mut next = 0;
        for (index, result) in receive {
            let case_report = result?;
            if let (Some(folder), Verdict::Failed) = (&args.keep, &case_report.verdict) {
                report::keep(folder, &cases[index], &case_report)?;
            }
            reports[index] = Some(case_report);
            progress.advance();
            while let Some(file) = report::next_file(cases, &reports, next) {
                progress.print(&FileReport::of(
                    &cases[file.clone()],
                    &reports[file.clone()],
                    args.verbose,
                ));
                next = file.end;
            }
        }
        Ok::<(), Failure>(())
    })?;
    progress.finish();
    Ok(reports.into_iter().flatten().collect())
}
