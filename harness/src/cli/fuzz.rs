//! `leaselab fuzz`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::options::{
    GateOptions, Jobs, ReplayOptions, RouterOptions, RtcChoice, SandboxOptions, ScriptOptions,
    SingleTarget, TargetChoice,
};
use super::reproduction::{Reproduction, ReproductionId};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report::{self, Detail, FoldedFindings, Place};
use crate::shown::Shown as _;
use crate::words::Words;
use dnsmasq_model::Release;
use explore::fuzz::{
    self, AllowedFinding, Coverage, HouseholdId, Limits, Session, SessionResult, Subject, Summary,
};
use runner::Finding;
use scenario::{Rtc, Seconds, UnitError, quantity};

/// Number of households of a session without a limit.
const DEFAULT_CASES: u64 = 1_000;

/// The arguments of `leaselab fuzz`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number of households to play [default: 1000, or as many as `--time` allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cases: Option<u64>,
    /// Time to play, such as 30s or 2h
    #[arg(long, value_name = "DURATION", value_parser = nonzero_time)]
    time: Option<Seconds>,
    /// Number of events of each household
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    events: u32,
    /// Folder for the minimised scenario of a failure
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Script to test if `--script` is not given
    #[arg(long = "use", value_enum, default_value = "shell")]
    own: OwnScript,
    #[command(flatten)]
    script: ScriptOptions,
    #[command(flatten)]
    gate: GateOptions,
    /// Where script calls go [default: in-process, and process with --script]
    #[arg(long, value_enum)]
    target: Option<SingleTarget>,
    #[command(flatten)]
    sandbox: SandboxOptions,
    #[command(flatten)]
    router: RouterOptions,
    #[command(flatten)]
    jobs: Jobs,
    /// Seed of the households
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OwnScript {
    /// The project's own script
    Shell,
    /// The naive script, written according to the notes of 2006
    Naive,
}

fn nonzero_time(text: &str) -> Result<Seconds, String> {
    match text.parse().map_err(|error: UnitError| error.to_string())? {
        Seconds(0) => Err("expected at least 1s".to_owned()),
        seconds => Ok(seconds),
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let session = session(args)?;
    let replay = args.replay();
    let subject = subject(&replay)?;
    check_folder(&args.out)?;
    let limits = Limits {
        cases: args.cases.or(args.time.is_none().then_some(DEFAULT_CASES)),
        time: args.time.map(|Seconds(seconds)| Duration::from_secs(seconds)),
    };
    let pool = args.jobs.pool()?;
    let began = cpu_time();
    let on_failure = |id: &HouseholdId| errln!("fails: {}", reproduction(id, &replay));
    let outcome = pool.install(|| session.run(&subject, limits, &on_failure))?;
    let cpu = cpu_time().saturating_sub(began);
    let SessionResult { summary, failure } = outcome;
    if let Some(failure) = &failure {
        report_failure(args, &subject, failure)?;
    }
    print_allowed(&summary);
    print_columns(&summary.coverage);
    let mut exit = if failure.is_some() { Exit::Failed } else { Exit::Passed };
    let missing = session.missing(&summary);
    if !missing.is_empty() {
        let kinds = missing.join(", ");
        if session.is_short(&summary) || failure.is_some() {
            outln!("never reached: {kinds}");
            outln!(
                "(not a failure: a session is expected to reach all of them from {} events on)",
                Session::events_for_coverage()
            );
        } else {
            errln!("error: never reached: {kinds}");
            exit = Exit::Failed;
        }
    }
    print_last_line(&summary, failure.is_some(), (!subject.is_slow()).then_some(cpu));
    Ok(exit)
}

/// Plays the household of an id again.
///
/// # Errors
/// Options that contradict each other; a target that fails.
pub(super) fn replay(
    id: &HouseholdId,
    options: &ReplayOptions,
    verbose: bool,
) -> Result<Exit, CommandError> {
    let trial = subject(options)?.logging(verbose).play_leniently(fuzz::generate(id))?;
    if verbose {
        for line in &trial.log {
            outln!("{line}");
        }
    }
    let mut found = FoldedFindings::default();
    for finding in trial.allowed.iter().chain(&trial.findings) {
        found.add(finding, 1, &place_of(&id.to_string(), String::new()));
    }
    report::print_failures(&found.finish(), Detail::All);
    outln!("{}", if trial.findings.is_empty() { "held" } else { "broken" });
    Ok(if trial.findings.is_empty() { Exit::Passed } else { Exit::Failed })
}

/// A household, as the place where findings were made.
fn place_of(name: &str, reproduce: String) -> Place<'_> {
    let path = Path::new("household.toml");
    Place { title: "A random household", path, case: name, reproduce, replay: String::new() }
}

/// Prints a finding with its call.
fn print_finding(finding: &Finding, place: &Place<'_>) {
    let mut found = FoldedFindings::default();
    found.add(finding, 1, place);
    report::print_failures(&found.finish(), Detail::Some);
}

/// Prints the findings that do not make the session fail.
fn print_allowed(summary: &Summary) {
    let mut found = FoldedFindings::default();
    for AllowedFinding { count, id, finding } in summary.allowed.values() {
        found.add(finding, *count, &place_of(&id.to_string(), String::new()));
    }
    let failures = found.finish();
    report::print_failures(&failures, Detail::Some);
    report::print_found_groups(&failures);
}

fn session(args: &Args) -> Result<Session, CommandError> {
    let dialects = args.router.dialects()?;
    let builds: &[Rtc] = match args.router.rtc {
        None | Some(RtcChoice::Both) => &[Rtc::Good, Rtc::Broken],
        Some(RtcChoice::Good) => &[Rtc::Good],
        Some(RtcChoice::Broken) => &[Rtc::Broken],
    };
    let routers =
        dialects.iter().flat_map(|dialect| builds.iter().map(|rtc| (*dialect, *rtc))).collect();
    let script = match args.own {
        OwnScript::Shell => "shell",
        OwnScript::Naive => "naive",
    };
    if args.own == OwnScript::Naive && args.script.script.is_some() {
        return Err(CommandError::usage("--use naive and --script: expected only one of them"));
    }
    let releases = match args.router.dnsmasq_release.as_slice() {
        [] => vec![Release::NEWEST],
        named => named.to_vec(),
    };
    let script = script.to_owned();
    let file_faults = args.script.script.is_some();
    Ok(Session { seed: args.seed, events: args.events, routers, releases, script, file_faults })
}

impl Args {
    fn replay(&self) -> ReplayOptions {
        ReplayOptions {
            script: self.script.clone(),
            gate: self.gate.clone(),
            target: self.target.map(TargetChoice::from),
            sandbox: self.sandbox,
            ..ReplayOptions::default()
        }
    }
}

/// The script under test: a function, or processes where `--script` or `--target` asks for them.
fn subject(options: &ReplayOptions) -> Result<Subject, CommandError> {
    let is_own = options.script.script.is_none();
    match options.target {
        Some(TargetChoice::Both) => {
            Err(CommandError::usage("--target both: a household is played on one target at a time"))
        }
        Some(TargetChoice::InProcess) if !is_own => {
            Err(CommandError::usage("--script needs --target process, or no --target"))
        }
        None if is_own => Ok(Subject::in_process().denying(options.gate())),
        Some(TargetChoice::InProcess) => Ok(Subject::in_process().denying(options.gate())),
        // The seed of the household determines its events; the runner's seed stays 0, as for the scenario file written from it.
        _ => Ok(Subject::with(options.runner(TargetChoice::Process, false)?)),
    }
}

/// The command that plays a household again.
fn reproduction(id: &HouseholdId, options: &ReplayOptions) -> Reproduction {
    let id = ReproductionId::Household(id.clone());
    Reproduction { id, verbose: false, options: options.clone() }
}

/// The command that runs the scenario file of a minimised household.
fn run_command(path: &Path, options: &ReplayOptions, subject: &Subject) -> Words {
    let target = if subject.is_slow() { None } else { Some(TargetChoice::InProcess) };
    let mut words = Words::new(&["leaselab", "run"]);
    words.argument(path.to_string_lossy());
    ReplayOptions { target, ..options.clone() }.add_to(&mut words);
    words
}

fn report_failure(
    args: &Args,
    subject: &Subject,
    failure: &fuzz::Failure,
) -> Result<(), CommandError> {
    let options = args.replay();
    let replay = reproduction(&failure.id, &options);
    let all = failure.trial.events();
    let finding = &failure.trial.findings[0];
    outln!("FAILED {}", failure.id);
    print_finding(finding, &place_of(&failure.id.to_string(), replay.to_string()));
    let began = Instant::now();
    let small = fuzz::minimise(subject, &failure.trial)?;
    let events = small.scenario.steps.len();
    outln!(
        "minimised from {} to {events}: {} tried, {:.2} s",
        quantity(all, "event"),
        quantity(small.trials, "household"),
        began.elapsed().as_secs_f64()
    );
    let stem = format!("fuzz-{}-{}", failure.id.seed, failure.id.case);
    let origin = |path: &Path| {
        format!(
            "Found by `leaselab fuzz`, and minimised from {all} events to {events}.\n\
             Fails:  {}\n\
             Whole:  {replay}",
            run_command(path, &options, subject)
        )
    };
    for number in 1..10_000 {
        let name =
            if number == 1 { format!("{stem}.toml") } else { format!("{stem}-{number}.toml") };
        let path = args.out.join(name);
        if path.exists() {
            continue;
        }
        let Some(reproducer) = fuzz::reproducer(subject, &small, &path, &origin(&path))? else {
            errln!(
                "error: the minimised household passes when it is read from a file, which is a bug in leaselab; use the id to replay it"
            );
            return Ok(());
        };
        if !report::write_new(&path, reproducer.text.as_bytes())? {
            continue;
        }
        let finding = reproducer.finding;
        let command = run_command(&path, &options, subject);
        let name = path.to_string_lossy();
        let place = Place { path: &path, ..place_of(&name, String::new()) };
        print_finding(&finding, &place);
        outln!("  written: {command}");
        return Ok(());
    }
    Err(CommandError::file(&args.out, format!("all file names from {stem}.toml on exist already")))
}

/// Checks that the folder can be written to, before any work is done.
fn check_folder(folder: &Path) -> Result<(), CommandError> {
    let refuse =
        |error: std::io::Error| CommandError::Usage(format!("--out {}: {error}", folder.shown()));
    backend::create_folder(folder).map_err(refuse)?;
    backend::new_temporary_file(folder).map_err(refuse)?;
    Ok(())
}

fn print_columns(coverage: &Coverage) {
    const COLUMNS: usize = 3;
    let text = coverage.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let rows = lines.len().div_ceil(COLUMNS);
    for row in 0..rows {
        let cells = lines.iter().skip(row).step_by(rows).copied();
        outln!("{}", cells.collect::<Vec<_>>().join("  "));
    }
}

fn print_last_line(summary: &Summary, failed: bool, cpu: Option<Duration>) {
    let Summary { cases, events, total, took, .. } = summary;
    let rate = |time: Duration| *cases as f64 / time.as_secs_f64().max(1e-9);
    let cpu = cpu.map_or_else(String::new, |cpu| format!(", {:.0} households/s/core", rate(cpu)));
    outln!(
        "{}, {}, {}, {}, {} failed, {:.0} households/s{cpu}",
        quantity(*cases, "household"),
        quantity(*events, "event"),
        quantity(total.calls, "script call"),
        quantity(total.commits, "commit"),
        u8::from(failed),
        rate(*took),
    );
}

/// CPU time of this process, all threads.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
