//! The arguments and the course of `leaselab check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::explore::{explore, is_explored};
use super::observations::{of_case, of_cuts};
use super::play::play;
use super::suite;
use crate::cli::options::{
    DEFAULT_TIMEOUT_SECONDS, GateOptions, Jobs, ReplayOptions, ReportOptions, RouterOptions,
    RtcChoice, SandboxOptions, ScriptOptions, TargetChoice, dialect_parser, router_names,
    runner_options, shell_command,
};
use crate::cli::reproduction::{Reproduction, ReproductionId};
use crate::conformance::{
    CheckResult, LifeEstimate, Observation, complete, flash_life, group_results, junit_tests, page,
    typical_router,
};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report::{self, CaseOutcome, FileReport, FoldedFindings, Forge};
use crate::shown::Shown as _;
use ::explore::crash::Report;
use dnsmasq_model::Release;
use lab_report::{CasesReport, Document, Failure};
use nvram_emu::Dialect;
use runner::{NamePattern, Options, Severity, Verdict};
use scenario::{Case, Group, Id, Overrides};
use wear::{RouterPreset, RouterSpec, SimulationError, WearError};

/// Days of a household for which the script is run to find out how long the flash lives.
const DAYS: u64 = 6;
/// The same for `--quick`.
const QUICK_DAYS: u64 = 1;
/// Bytes of other programs' variables in the NVRAM of a well-known router.
const NEIGHBOURS: u32 = 20_000;

/// The arguments of `leaselab check`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The lease script
    #[arg(value_name = "SCRIPT")]
    script: PathBuf,
    /// Command that runs the script, such as `busybox ash` [default: the script's `#!` line]
    #[arg(long, value_name = "CMD", value_parser = shell_command)]
    shell: Option<String>,
    /// Dialect of the nvram tool [default: openwrt, or the router's]
    #[arg(long, value_name = "NAME", value_parser = dialect_parser())]
    dialect: Option<Dialect>,
    /// A well-known router, which determines dialect, flash and NVRAM; see `leaselab wear --list-routers`
    #[arg(long, value_name = "NAME", value_parser = router_names())]
    router: Option<String>,
    /// Builds of dnsmasq [default: both]
    #[arg(long, value_enum)]
    rtc: Option<RtcChoice>,
    /// Releases of dnsmasq, from 2.33 to 2.92 [default: the newest, and 2.33 and 2.80 where releases matter]
    #[arg(long, value_name = "RELEASE", value_delimiter = ',')]
    dnsmasq_release: Vec<Release>,
    /// Play only a part of the suite, for a pre-commit hook
    #[arg(long)]
    quick: bool,
    /// Kill a script and its children when a call takes longer
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT_SECONDS)]
    timeout: u64,
    /// NVRAM variables that belong to the script, such as my_leases or 'lease_*'; may be repeated [default: dnsmasq_lease_*]
    #[arg(long, value_name = "PATTERN")]
    owns: Vec<NamePattern>,
    #[command(flatten)]
    gate: GateOptions,
    #[command(flatten)]
    sandbox: SandboxOptions,
    #[command(flatten)]
    jobs: Jobs,
    #[command(flatten)]
    reports: ReportOptions,
    /// Print an annotation of the script for each failure
    #[arg(long, value_enum, value_name = "FORGE")]
    annotate: Option<Forge>,
}

pub(in crate::cli) fn run(args: &Args) -> Result<Exit, CommandError> {
    let began = Instant::now();
    args.reports.check_writable()?;
    let check = Check::new(args)?;
    let pool = args.jobs.pool()?;
    let Checked { mut result, files, cut_failures } = pool.install(|| check.run())?;
    result.took = began.elapsed();
    let gate = args.gate.policy(true);
    let mut cases_report = report::cases_report(Some(&args.script), &files, &[]);
    for failure in cut_failures {
        let id = format!("f{}", cases_report.failures.len() + 1);
        cases_report.failures.push(Failure { id, ..failure });
    }
    let cases_report = complete(cases_report, &result);
    if let Some(forge) = args.annotate {
        print_annotations(forge, &cases_report, &args.script);
    }
    args.reports.write(&Document::Check(cases_report))?;
    if let Some(path) = &args.reports.junit {
        report::write_junit_tests(path, &junit_tests(&result, &gate))?;
    }
    out!("{}", page(&result));
    let denied = result.groups.iter().any(|group| {
        group.verdict.severity().is_some_and(|severity| gate.denies(severity, group.group))
    });
    Ok(if denied { Exit::Failed } else { Exit::Passed })
}

/// Prints annotations of the first line of the script: its repository does not have the files of the suite.
fn print_annotations(forge: Forge, report: &CasesReport, script: &Path) {
    let mut report = report.clone();
    for failure in &mut report.failures {
        failure.file = script.shown();
        failure.line = 1;
    }
    report::print_annotations(forge, &report);
}

impl Args {
    /// The well-known router.
    fn preset(&self) -> Option<&'static RouterPreset> {
        self.router.as_deref().and_then(RouterPreset::by_name)
    }

    /// The dialect of the options.
    fn dialect(&self) -> Option<Dialect> {
        self.dialect.or(self.preset().map(|router| router.dialect))
    }
}

/// A check that is about to be made.
struct Check<'a> {
    args: &'a Args,
    script: ScriptOptions,
    router: RouterOptions,
    options: Options,
    cases: Vec<Case>,
}

/// What a check has shown.
struct Checked {
    result: CheckResult,
    /// The cases that were played.
    files: Vec<FileReport>,
    /// What power cuts and kills have shown.
    cut_failures: Vec<Failure>,
}

/// What power cuts and kills have shown.
#[derive(Default)]
struct Explored {
    total: Report,
    observations: Vec<Observation>,
    failures: Vec<Failure>,
}

impl<'a> Check<'a> {
    fn new(args: &'a Args) -> Result<Self, CommandError> {
        let releases = &args.dnsmasq_release;
        if let Some(release) = releases.iter().find(|one| one.reports_leases_only_at_its_end()) {
            return Err(CommandError::usage(format!(
                "--dnsmasq-release: dnsmasq {release} calls the script only for init and when it is terminated, so that no \
                 script can keep leases with it: name another release"
            )));
        }
        let script = ScriptOptions::new(args.script.clone(), args.shell.clone(), args.timeout)
            .owning(args.owns.clone());
        let options = runner_options(&script, TargetChoice::Process, args.sandbox, 0, false)?;
        let options = Options { gate: args.gate.policy(true), ..options };
        let dialect = args.dialect().iter().map(|dialect| dialect.name().to_owned()).collect();
        let router =
            RouterOptions { rtc: args.rtc, dialect, dnsmasq_release: args.dnsmasq_release.clone() };
        let overrides = Overrides { chosen_script: true, ..router.overrides()? };
        let cases = suite::cases(&overrides)?;
        let cases = if args.quick { suite::quick(&cases) } else { cases };
        Ok(Self { args, script, router, options, cases })
    }

    fn run(&self) -> Result<Checked, CommandError> {
        let play = |cases: &[Case]| play(cases, &self.options, (&self.router, &self.replay()));
        // The simplest case is enough to reveal a script that cannot be started or does not end.
        let (mut played, others): (Vec<Case>, Vec<Case>) =
            self.cases.iter().cloned().partition(suite::is_basic);
        let mut outcomes = play(&played)?;
        let mut observations = observe(&played, &outcomes);
        let fatal = observations.iter().find(|observation| observation.cause.ends_the_check());
        let ended_early = fatal.map(|observation| observation.text.clone());
        let mut cuts = Explored::default();
        let mut life = LifeEstimate::NotMeasured("the check ended early".to_owned());
        if ended_early.is_none() {
            let more = play(&others)?;
            observations.extend(observe(&others, &more));
            outcomes.extend(more);
            played.extend(others);
            // The calls of a household run one after the other, which leaves the other threads idle.
            let (explored, lived) =
                rayon::join(|| self.explore(&observations), || self.flash_life());
            (cuts, life) = (explored?, lived?);
            observations.append(&mut cuts.observations);
        }
        report::print_clock_note(&outcomes);
        let result = self.result((&played, &outcomes), &observations);
        Ok(Checked {
            result: CheckResult { cuts: cuts.total, life, ended_early, ..result },
            files: report::by_file(&played, outcomes),
            cut_failures: cuts.failures,
        })
    }

    fn dialect(&self) -> Dialect {
        self.args.dialect().unwrap_or(Dialect::OpenWrt)
    }

    fn replay(&self) -> ReplayOptions {
        ReplayOptions {
            script: self.script.clone(),
            sandbox: self.args.sandbox,
            ..ReplayOptions::default()
        }
    }

    /// Explores power cuts and kills in the cases in which nothing was wrong without one.
    fn explore(&self, observations: &[Observation]) -> Result<Explored, CommandError> {
        let failed: BTreeSet<&String> = observations
            .iter()
            .filter(|observation| {
                observation.severity > Severity::Advice && !observation.cause.concerns_no_lease()
            })
            .map(|observation| &observation.case)
            .collect();
        let passed = |case: &&Case| !failed.contains(&case.name());
        let is_explored = |case: &&Case| is_explored(case, self.args.quick);
        let cases: Vec<&Case> = self.cases.iter().filter(is_explored).filter(passed).collect();
        let reports = explore(&cases, &self.script, self.args.sandbox)?;
        let command = |id: &Id| {
            let id = ReproductionId::Faults(id.clone());
            Reproduction { id, verbose: true, options: self.replay() }.words()
        };
        let mut explored = Explored::default();
        let mut folded = FoldedFindings::default();
        for (case, report) in cases.into_iter().zip(reports) {
            explored.observations.extend(of_cuts(case, &report, &command));
            let command = |id: &Id| command(id).to_string();
            report::crash::add_violations(&mut folded, case, &report.violations, &command);
            explored.total.add(report);
        }
        Ok(Explored { failures: folded.finish(), ..explored })
    }

    /// How long the flash lives, if the script can play a household.
    fn flash_life(&self) -> Result<LifeEstimate, CommandError> {
        let days = if self.args.quick { QUICK_DAYS } else { DAYS };
        let build = self.args.rtc.unwrap_or(RtcChoice::Both).builds()[0];
        let settings = self.script.settings(self.args.sandbox)?;
        let choice = self.script.choice()?;
        let command = (choice.command(), choice.owns.clone());
        let router = match self.args.preset() {
            Some(preset) => RouterSpec { dialect: self.dialect(), ..preset.spec(NEIGHBOURS) },
            None => typical_router(self.dialect()),
        };
        match flash_life(command, settings, (router, build), days) {
            Ok(life) => Ok(LifeEstimate::Measured(life)),
            Err(WearError::Simulation(SimulationError::Backend(error))) => Err(error.into()),
            Err(other) => {
                let why = other.to_string().trim_end_matches(": ").to_owned();
                Ok(LifeEstimate::NotMeasured(why))
            }
        }
    }

    fn result(
        &self,
        (played, outcomes): (&[Case], &[CaseOutcome]),
        observations: &[Observation],
    ) -> CheckResult {
        let uses_nvram = outcomes.iter().any(|outcome| outcome.report.total.commands > 0);
        let not_applicable = |group: Group| match group {
            Group::SharedNvram | Group::OtherSettings if !uses_nvram => {
                Some("the script runs no nvram command")
            }
            _ => None,
        };
        // A script without nvram commands cannot play every scenario.
        let was_played =
            |outcome: &CaseOutcome| !matches!(outcome.report.verdict, Verdict::Skipped(_));
        let cases: Vec<(Group, String)> = played
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| was_played(outcome))
            .map(|(case, _)| (suite::group_of(case), case.name()))
            .collect();
        CheckResult {
            script: self.args.script.shown(),
            shell: self.args.shell.clone(),
            dialect: self.dialect().name().to_owned(),
            groups: group_results(&cases, observations, not_applicable),
            cases: cases.len(),
            calls: outcomes.iter().map(|outcome| outcome.report.total.calls).sum(),
            cuts: Report::default(),
            life: LifeEstimate::NotMeasured(String::new()),
            ended_early: None,
            took: Duration::ZERO,
        }
    }
}

fn observe(cases: &[Case], outcomes: &[CaseOutcome]) -> Vec<Observation> {
    cases.iter().zip(outcomes).flat_map(|(case, outcome)| of_case(case, outcome)).collect()
}
