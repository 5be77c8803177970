//! `leaselab fuzz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nvram_emu::Dialect;

use super::common::{Common, RtcChoice, TargetChoice};
use super::{Exit, Failure};
use crate::report;
use explore::fuzz::{self, Coverage, Id, IdError, Limits, Outcome, Session, Subject, Summary};
use runner::Options;
use scenario::{Rtc, Seconds};

/// Households of a session that has no other end.
const DEFAULT_CASES: u64 = 1_000;

/// The arguments of `leaselab fuzz`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Play so many households; default: 1000, or as many as `--time` allows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cases: Option<u64>,
    /// Play for so long, such as 30s or 2h
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    time: Option<Seconds>,
    /// Events of each household
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    events: u32,
    /// Where the minimised scenario of a failure is written
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// The script under test where there is no `--script`
    #[arg(long = "use", value_enum, default_value = "shell")]
    own: OwnScript,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OwnScript {
    /// The project's own
    Shell,
    /// The naive one after the notes of 2006
    Naive,
}

fn some_time(text: &str) -> Result<Seconds, String> {
    match text.parse()? {
        Seconds(0) => Err("no time at all".to_owned()),
        seconds => Ok(seconds),
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let session = session(args)?;
    let suspect = suspect(&args.common)?;
    check_folder(&args.out)?;
    let limits = Limits {
        cases: args.cases.or(args.time.is_none().then_some(DEFAULT_CASES)),
        time: args.time.map(|Seconds(seconds)| Duration::from_secs(seconds)),
    };
    let pool = args.common.pool()?;
    let began = cpu_time();
    let arguments = script_arguments(&args.common);
    let at_once = |id: &Id| anstream::eprintln!("fails: leaselab replay '{id}'{arguments}");
    let outcome = pool.install(|| session.run(&suspect, limits, &at_once))?;
    let cpu = cpu_time().saturating_sub(began);
    let Outcome { summary, failure } = outcome;
    if let Some(failure) = &failure {
        report_failure(args, &suspect, failure)?;
    }
    print_columns(&summary.coverage);
    let mut exit = if failure.is_some() { Exit::Failed } else { Exit::Held };
    let (missing, too_few) = session.missing(&summary);
    if !missing.is_empty() {
        let kinds = missing.join(", ");
        if too_few || failure.is_some() {
            anstream::println!("never came to: {kinds}");
            anstream::println!(
                "(not judged: a session is expected to come to all of them from {} events on)",
                Session::events_for_coverage()
            );
        } else {
            anstream::eprintln!("error: never came to: {kinds}");
            exit = Exit::Failed;
        }
    }
    print_last_line(&summary, failure.is_some(), (!suspect.is_slow()).then_some(cpu));
    Ok(exit)
}

/// Plays the household of an id again.
pub(super) fn replay(text: &str, common: &Common, verbose: bool) -> Result<Exit, Failure> {
    let id = Id::parse(text).map_err(|IdError(why)| Failure::Input(why))?;
    let trial = suspect(common)?.logging(verbose).try_out(fuzz::draw(&id))?;
    if verbose {
        for line in &trial.log {
            anstream::println!("{line}");
        }
    }
    for finding in &trial.findings {
        anstream::println!("  step {}: {}: {}", finding.step, finding.kind.name(), finding.text);
    }
    anstream::println!("{}", if trial.findings.is_empty() { "held" } else { "broken" });
    Ok(if trial.findings.is_empty() { Exit::Held } else { Exit::Failed })
}

fn session(args: &Args) -> Result<Session, Failure> {
    let overrides = args.common.overrides()?;
    let dialects: Vec<Dialect> = match overrides.dialect.as_slice() {
        [] => Dialect::ALL.to_vec(),
        names => names.iter().filter_map(|name| name.parse().ok()).collect(),
    };
    let builds: &[Rtc] = match args.common.rtc {
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
    if args.own == OwnScript::Naive && args.common.script.is_some() {
        return Err(Failure::Input("--use naive and --script: one script at a time".to_owned()));
    }
    Ok(Session { seed: args.common.seed, events: args.events, routers, script: script.to_owned() })
}

/// Who is tried: functions, or processes where a script is named or processes are asked for.
fn suspect(common: &Common) -> Result<Subject, Failure> {
    match common.target {
        Some(TargetChoice::Both) => {
            Err(Failure::Input("--target both: `fuzz` tries one target at a time".to_owned()))
        }
        Some(TargetChoice::InProcess) if common.script.is_some() => {
            Err(Failure::Input("--script: a script of your own runs in processes only".to_owned()))
        }
        None if common.script.is_none() => Ok(Subject::in_process()),
        Some(TargetChoice::InProcess) => Ok(Subject::in_process()),
        _ => {
            // The seed is that of the households; a file that is written must do without it.
            Ok(Subject::with(Options { seed: 0, ..common.options(false)? }))
        }
    }
}

fn report_failure(args: &Args, suspect: &Subject, failure: &fuzz::Failure) -> Result<(), Failure> {
    let script = script_arguments(&args.common);
    let replay = format!("leaselab replay '{}'{script}", failure.id);
    let all = failure.trial.events();
    let finding = &failure.trial.findings[0];
    anstream::println!("FAILED {}", failure.id);
    anstream::println!("  step {}: {}: {}", finding.step, finding.kind.name(), finding.text);
    anstream::println!("  reproduce: {replay}");
    let began = Instant::now();
    let small = fuzz::minimise(suspect, &failure.trial)?;
    let events = small.scenario.steps.len();
    anstream::println!(
        "minimised from {all} events to {events}: {} households tried, {:.2} s",
        small.trials,
        began.elapsed().as_secs_f64()
    );
    let stem = format!("fuzz-{}-{}", failure.id.seed, failure.id.case);
    let target = if suspect.is_slow() { "" } else { " --target in-process" };
    let origin = |path: &Path| {
        format!(
            "Found by `leaselab fuzz`, and minimised from {all} events to {events}.\n\
             Fails:  leaselab run {}{script}{target}\n\
             Whole:  {replay}",
            path.display()
        )
    };
    for number in 1..10_000 {
        let name =
            if number == 1 { format!("{stem}.toml") } else { format!("{stem}-{number}.toml") };
        let path = args.out.join(name);
        if path.exists() {
            continue;
        }
        let Some(reproducer) = fuzz::reproducer(suspect, &small, &path, &origin(&path))? else {
            anstream::eprintln!(
                "error: the minimised household does not fail as a file, which is a fault of leaselab's own: replay the id"
            );
            return Ok(());
        };
        if !report::write_new(&path, reproducer.text.as_bytes())? {
            continue;
        }
        let finding = reproducer.finding;
        anstream::println!("  step {}: {}: {}", finding.step, finding.kind.name(), finding.text);
        anstream::println!("  written: leaselab run {}{script}{target}", path.display());
        return Ok(());
    }
    Err(Failure::Input(format!("{}: no name left for {stem}.toml", args.out.display())))
}

/// The arguments that choose the script, for commands to be pasted.
fn script_arguments(common: &Common) -> String {
    let path = common.script.as_ref().map(|path| format!(" --script '{}'", path.display()));
    path.unwrap_or_default()
}

/// Whether the folder can be written to, asked before any work is done.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let refuse =
        |error: std::io::Error| Failure::Input(format!("--out {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(refuse)?;
    tempfile::Builder::new().tempfile_in(folder).map_err(refuse)?;
    Ok(())
}

fn print_columns(coverage: &Coverage) {
    const COLUMNS: usize = 3;
    let text = coverage.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let rows = lines.len().div_ceil(COLUMNS);
    for row in 0..rows {
        let cells = lines.iter().skip(row).step_by(rows).copied();
        anstream::println!("{}", cells.collect::<Vec<_>>().join("  "));
    }
}

fn print_last_line(summary: &Summary, failed: bool, cpu: Option<Duration>) {
    let Summary { cases, events, total, took, .. } = summary;
    let rate = |time: Duration| *cases as f64 / time.as_secs_f64().max(1e-9);
    let cpu = cpu.map_or_else(String::new, |cpu| format!(", {:.0} households/s/core", rate(cpu)));
    anstream::println!(
        "{cases} households, {events} events, {} script calls, {} commits, {} failed, {:.0} households/s{cpu}",
        total.calls,
        total.commits,
        u8::from(failed),
        rate(*took),
    );
}

/// CPU time of this process, all threads.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
