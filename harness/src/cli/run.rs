//! `leaselab run`.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use rayon::prelude::*;

use super::{Exit, Failure};
use crate::report::{self, FileReport, Progress};
use crate::run::{self, CaseReport, Fault, Options, ScriptChoice, TargetKind, Verdict};
use crate::scenario::{Case, Overrides};
use crate::suite::{self, Shard};
use crate::target::TargetError;
use crate::target::process::Settings;

/// The arguments of `leaselab run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, or folders of them
    #[arg(default_value = "scenarios")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Run the cases whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Run the I-th of N equal parts of the cases
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a JSON report
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep what a failed case leaves: its log, flash and RAM
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print every script call of every case
    #[arg(long)]
    verbose: bool,
    /// Print the scenarios' claims and verdicts instead of one line a file
    #[arg(long)]
    claims: bool,
}

/// Options that several commands share.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The lease script under test, in place of the project's own
    #[arg(long, value_name = "PATH")]
    script: Option<PathBuf>,
    /// What runs the script, such as `busybox ash`; default: its own first line decides
    #[arg(long, value_name = "CMD", default_value = "")]
    shell: String,
    /// dnsmasq's build: the default one, or with `HAVE_BROKEN_RTC`; default: as the scenario says
    #[arg(long, value_enum)]
    rtc: Option<RtcChoice>,
    /// Dialects of the nvram tool; default: as the scenario says
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dialect: Vec<String>,
    /// Where script calls go
    #[arg(long, value_enum, default_value = "process")]
    target: TargetChoice,
    /// How many cases run at once; default: one for each core
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// A script that takes longer for one call is killed with its children
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    timeout: u64,
    /// Do without user and mount namespaces
    #[arg(long)]
    no_private_root: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum RtcChoice {
    Good,
    Broken,
    Both,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TargetChoice {
    /// A real shell, a real script, the fake nvram
    Process,
    /// Functions over a simulated device
    InProcess,
    /// Both, which must agree
    Both,
}

impl Common {
    fn overrides(&self) -> Result<Overrides, Failure> {
        for name in &self.dialect {
            name.parse::<nvram_emu::Dialect>()
                .map_err(|error| Failure::Input(format!("--dialect: {error}")))?;
        }
        let rtc: &[&str] = match self.rtc {
            None => &[],
            Some(RtcChoice::Good) => &["good"],
            Some(RtcChoice::Broken) => &["broken"],
            Some(RtcChoice::Both) => &["good", "broken"],
        };
        Ok(Overrides {
            rtc: rtc.iter().map(|name| (*name).to_owned()).collect(),
            dialect: self.dialect.clone(),
        })
    }

    fn options(&self, log: bool) -> Result<Options, Failure> {
        let settings = Settings {
            leaselab: std::env::current_exe()
                .map_err(|error| Failure::Environment(format!("leaselab itself: {error}")))?,
            limit_ms: self.timeout.clamp(1, 86_400) * 1000,
            private_root: !self.no_private_root,
        };
        let target = match self.target {
            TargetChoice::InProcess => TargetKind::InProcess,
            TargetChoice::Process => TargetKind::Process(settings),
            TargetChoice::Both => TargetKind::Both(settings),
        };
        if let Some(path) = &self.script {
            std::fs::File::open(path)
                .map_err(|error| Failure::Input(format!("--script {}: {error}", path.display())))?;
        }
        let shell = self.shell.split_whitespace().map(str::to_owned).collect();
        Ok(Options { target, script: ScriptChoice { path: self.script.clone(), shell }, log })
    }

    fn pool(&self) -> Result<rayon::ThreadPool, Failure> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs.unwrap_or(0))
            .build()
            .map_err(|error| Failure::Environment(format!("threads: {error}")))
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let overrides = args.common.overrides()?;
    let options = args.common.options(args.verbose || args.keep.is_some())?;
    let mut cases = suite::load(&args.paths, &overrides)?;
    suite::narrow(&mut cases, args.filter.as_deref(), args.shard);
    if cases.is_empty() {
        return Err(Failure::Input("no case fits these options".to_owned()));
    }
    report::check_writable(args.junit.iter().chain(&args.json))?;
    let reports = run_all(&cases, &options, &args.common.pool()?, args)?;
    let files = report::by_file(&cases, reports);
    if let Some(path) = &args.junit {
        report::write_junit(path, &files)?;
    }
    if let Some(path) = &args.json {
        report::write_json(path, &files)?;
    }
    if args.claims {
        report::print_claims(&cases);
    }
    let summary = report::Summary::of(&files);
    anstream::println!("{summary}");
    Ok(if summary.failed > 0 { Exit::Failed } else { Exit::Held })
}

/// Runs the cases on all threads; reports them file by file in their order.
fn run_all(
    cases: &[Case],
    options: &Options,
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
                    let result = run::run_case(case, options);
                    let fault = result.is_err();
                    // The receiver is gone after the first fault.
                    let sent = send.send((index, result)).is_ok();
                    (sent && !fault).then_some(())
                })
            })
        });
        let mut next = 0;
        for (index, result) in receive {
            let case_report = result.map_err(failure)?;
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

fn failure(fault: Fault) -> Failure {
    match fault {
        Fault::Source(error) => error.into(),
        Fault::Target(TargetError::Environment(why)) => Failure::Environment(why),
        Fault::Target(TargetError::Script(why)) => Failure::Input(why),
    }
}
