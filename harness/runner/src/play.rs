//! One case from its file to its report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lease_script::{Config, DEFAULT_PREFIX, Environment};
use nvram_emu::Machine;

use super::clocks::Clocks;
use super::findings::{Finding, FindingKind, Findings};
use super::lenient_log::LenientLog;
use super::record::{Recorder, TimedCall};
use super::setup::{FillCache, Part};
use super::steps::{Player, build_of};
use super::tally::Tally;
use super::world::World;
use super::{configuration, setup};
use backend::process::{Process, ScriptCommand, ScriptFile, Settings};
use backend::{Backend, BackendError, Function, InProcess};
use scenario::diagnostics::SourceError;
use scenario::{Case, Forgiven, Id, LongIds, Moment, Store};

const SHELL_SCRIPT: &str = include_str!("../../../lease-script/lease_update.sh");
const NAIVE_SCRIPT: &str = include_str!("../../../scenarios/scripts/naive.sh");

/// Where the calls go.
#[derive(Clone, Debug)]
pub enum TargetKind {
    /// Real processes.
    Process(Settings),
    /// Functions over a machine in memory.
    InProcess,
    /// Both, which must agree.
    Both(Settings),
}

/// The script under test, in place of the project's own.
#[derive(Clone, Debug, Default)]
pub struct ScriptChoice {
    /// `--script`.
    pub path: Option<PathBuf>,
    /// `--shell`, split into words.
    pub shell: Vec<String>,
}

impl ScriptChoice {
    /// The script where no scenario has a say.
    pub fn command(&self) -> ScriptCommand {
        let file = match &self.path {
            Some(path) => ScriptFile::Path(path.clone()),
            None => ScriptFile::BuiltIn("lease_update.sh", SHELL_SCRIPT),
        };
        ScriptCommand { file, shell: self.shell.clone(), environment: BTreeMap::new() }
    }
}

/// How cases are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target.
    pub target: TargetKind,
    /// The script.
    pub script: ScriptChoice,
    /// Seeds what a server draws at random.
    pub seed: u64,
    /// The subcommand that runs the case.
    pub command: &'static [&'static str],
    /// The arguments that brought these options about, for the command that reproduces a failure.
    pub arguments: Vec<String>,
    /// Whether to keep a line for each script call in the report.
    pub log: bool,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All held.
    Passed,
    /// Something did not.
    Failed,
    /// It cannot be run with these options.
    Skipped(String),
}

/// What became of a case.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The case's name.
    pub name: String,
    /// The command that runs just this case in the same way.
    pub reproduction: String,
    /// The command that runs it again by its id, and refuses when the scenario has changed since.
    pub replay: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What failed.
    pub failures: Vec<Finding>,
    /// What the scenario expected to see broken, and saw.
    pub foreseen: Vec<Finding>,
    /// What it cost.
    pub total: Tally,
    /// One line for each script call, where they were asked for.
    pub log: Vec<String>,
    /// Why the script ran without a private root, where it did.
    pub shared_root: Option<String>,
    /// The router as a failed case left it.
    pub machine: Option<Machine>,
    /// Real time.
    pub took: Duration,
}

/// Why a case could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file says something that cannot be.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The machine that runs the lab lacks something, or the script cannot be run.
    #[error("{0}")]
    Target(#[from] BackendError),
}

/// Runs a case.
///
/// # Errors
/// When there is nothing to judge: a file that makes no sense, or a target that fails.
pub fn run_case(case: &Case, options: &Options) -> Result<CaseReport, Fault> {
    let began = Instant::now();
    let mut report = match &options.target {
        TargetKind::InProcess => run_in_process(case, options)?,
        TargetKind::Process(settings) => run_in_processes(case, options, settings)?,
        TargetKind::Both(settings) => {
            let mut report = run_in_processes(case, options, settings)?;
            let other = run_in_process(case, options)?;
            if !matches!(other.verdict, Verdict::Skipped(_)) {
                report.failures.extend(disagreement(&report, &other));
            }
            report
        }
    };
    if !report.failures.is_empty() {
        report.verdict = Verdict::Failed;
    }
    report.took = began.elapsed();
    Ok(report)
}

/// The report of a case that has not run yet.
pub fn blank_report(case: &Case, options: &Options) -> CaseReport {
    CaseReport {
        name: case.name(),
        reproduction: reproduction(case, options),
        replay: replay(case, options),
        verdict: Verdict::Passed,
        failures: Vec::new(),
        foreseen: Vec::new(),
        total: Tally::default(),
        log: Vec::new(),
        shared_root: None,
        machine: None,
        took: Duration::ZERO,
    }
}

/// The command that runs just this case in the same way.
fn reproduction(case: &Case, options: &Options) -> String {
    let mut words = vec!["leaselab".to_owned()];
    words.extend(options.command.iter().map(|word| (*word).to_owned()));
    words.push(case.source.path.to_string_lossy().into_owned());
    words.extend(["--filter".to_owned(), case.name(), "--verbose".to_owned()]);
    words.extend(options.arguments.iter().cloned());
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

/// The same by the case's id.
fn replay(case: &Case, options: &Options) -> String {
    let id = Id::new(case, &[]).to_string();
    let words = ["leaselab".to_owned(), "replay".to_owned(), id, "--verbose".to_owned()];
    let quoted: Vec<String> = words.iter().chain(&options.arguments).map(|w| quote(w)).collect();
    quoted.join(" ")
}

/// A word as a shell takes it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn run_in_process(case: &Case, options: &Options) -> Result<CaseReport, Fault> {
    let mut report = blank_report(case, options);
    match function(case, options)? {
        Ok(function) => {
            let mut target = InProcess::new(router(case)?, function);
            if case.scenario.router.store == Store::Journal {
                target = target.with_journal();
            }
            play(case, &mut target, options, &mut report, Observers::default())?;
        }
        Err(why) => report.verdict = Verdict::Skipped(why),
    }
    Ok(report)
}

fn run_in_processes(
    case: &Case,
    options: &Options,
    settings: &Settings,
) -> Result<CaseReport, Fault> {
    let mut report = blank_report(case, options);
    let script = command(case, &options.script);
    let mut target = Process::new(router(case)?, &script, settings)?;
    if case.scenario.router.store == Store::Journal {
        target = target.with_journal()?;
    }
    report.shared_root = target.refused_private_root().map(str::to_owned);
    play(case, &mut target, options, &mut report, Observers::default())?;
    Ok(report)
}

/// An undisturbed run, moment by moment.
#[derive(Debug)]
pub struct Recording {
    /// Its moments and events.
    pub recorder: Recorder,
    /// What the names of the leases' variables begin with.
    pub prefix: Vec<u8>,
}

/// Runs a case in process and keeps every moment before a script call. The reason, where its script
/// is no function.
///
/// # Errors
/// As [`run_case`].
pub fn record(case: &Case, script: Option<Function>) -> Result<Result<Recording, String>, Fault> {
    let options = quiet_in_process();
    let function = match script {
        Some(function) => function,
        None => match function(case, &options)? {
            Ok(function) => function,
            Err(why) => return Ok(Err(why)),
        },
    };
    let mut recorder = Recorder::default();
    listen(case, function, &options, &mut recorder)?;
    let environment = environment(case);
    let prefix = environment.get("LEASE_PREFIX").map_or(DEFAULT_PREFIX, String::as_str);
    Ok(Ok(Recording { recorder, prefix: prefix.as_bytes().to_vec() }))
}

/// Runs a case in process with this script, and keeps its calls and boots alone, and its true time at the beginning and
/// at the end.
///
/// # Errors
/// As [`run_case`].
pub fn calls_of(case: &Case, script: Function) -> Result<(Vec<TimedCall>, (i64, i64)), Fault> {
    let mut recorder = Recorder { calls: Some(Vec::new()), ..Recorder::default() };
    listen(case, script, &quiet_in_process(), &mut recorder)?;
    Ok((recorder.calls.unwrap_or_default(), recorder.truth))
}

fn quiet_in_process() -> Options {
    Options {
        target: TargetKind::InProcess,
        script: ScriptChoice::default(),
        seed: 0,
        command: &["run"],
        arguments: Vec::new(),
        log: false,
    }
}

fn listen(
    case: &Case,
    script: Function,
    options: &Options,
    recorder: &mut Recorder,
) -> Result<(), Fault> {
    let mut report = blank_report(case, options);
    let mut target = InProcess::new(router(case)?, script);
    let watch = Observers { recorder: Some(recorder), probe: None };
    play(case, &mut target, options, &mut report, watch)
}

/// Runs a case with `script` in place of its own. With a probe it is run up to its first failure, and what cannot be
/// done is left out.
///
/// # Errors
/// As [`run_case`].
pub fn try_out(
    case: &Case,
    machine: Machine,
    script: Option<&Function>,
    options: &Options,
    probe: Option<&mut LenientLog>,
) -> Result<CaseReport, Fault> {
    let mut report = blank_report(case, options);
    let watch = Observers { recorder: None, probe };
    let script = match (script, &options.target) {
        (Some(script), _) => script.clone(),
        (None, TargetKind::Process(settings)) => {
            let script = command(case, &options.script);
            let mut target = Process::new(machine, &script, settings)?;
            play(case, &mut target, options, &mut report, watch)?;
            return Ok(report);
        }
        (None, _) => function(case, options)?.map_err(BackendError::Script)?,
    };
    let mut target = InProcess::new(machine, script);
    play(case, &mut target, options, &mut report, watch)?;
    Ok(report)
}

/// What the two targets saw differently.
fn disagreement(processes: &CaseReport, functions: &CaseReport) -> Option<Finding> {
    let same_findings = |a: &[Finding], b: &[Finding]| {
        a.iter().map(|f| (f.step, f.kind)).eq(b.iter().map(|f| (f.step, f.kind)))
    };
    if processes.total == functions.total
        && same_findings(&processes.failures, &functions.failures)
        && same_findings(&processes.foreseen, &functions.foreseen)
    {
        return None;
    }
    let text = format!(
        "the targets differ: processes {:?} {:?} {:?}; in process {:?} {:?} {:?}",
        processes.total,
        processes.failures,
        processes.foreseen,
        functions.total,
        functions.failures,
        functions.foreseen
    );
    Some(Finding { kind: FindingKind::Astray, step: 0, line: 0, text })
}

/// The scenario's router, before its first boot.
///
/// # Errors
/// A router that cannot be, with its place.
pub fn router(case: &Case) -> Result<Machine, SourceError> {
    router_from(case, &mut FillCache::default())
}

/// The same with a shelf of routers that differ from it in nothing but how full they get.
///
/// # Errors
/// As [`router`].
pub fn router_from(case: &Case, shelf: &mut FillCache) -> Result<Machine, SourceError> {
    let router = &case.scenario.router;
    let folder = case.source.path.parent().unwrap_or(Path::new("."));
    setup::machine_from(router, folder, shelf).map_err(|refusal| {
        let span = match refusal.part {
            Part::Dialect => router.dialect.span(),
            Part::Chip => router.chip.span(),
            Part::Image => router.image.as_ref().map_or(0..0, toml::Spanned::span),
            Part::NvramSnapshot => case.section("router"),
        };
        let error = case.error(span, refusal.message);
        match refusal.help {
            Some(help) => error.help(help),
            None => error,
        }
    })
}

/// Observers of a run, beside the judge.
#[derive(Debug, Default)]
pub struct Observers<'a> {
    /// Keeps snapshots and events.
    pub recorder: Option<&'a mut Recorder>,
    /// Notes which steps had an effect; steps that cannot be carried out are skipped.
    pub probe: Option<&'a mut LenientLog>,
}

/// Plays a case on a target and completes its report.
///
/// # Errors
/// As [`run_case`].
pub fn play(
    case: &Case,
    target: &mut dyn Backend,
    options: &Options,
    report: &mut CaseReport,
    watch: Observers<'_>,
) -> Result<(), Fault> {
    let scenario = &case.scenario;
    let build = build_of(scenario.router.rtc);
    let (engine, options_of_dnsmasq) =
        configuration::engine(case, build, scenario.server.lease_limit)?;
    let truth = match scenario.router.date {
        Moment::At(second) => second,
        Moment::By(_) => {
            return Err(case.error(0..0, "`date` is a date, as 2026-01-31T12:00:00Z").into());
        }
    };
    let environment = environment(case);
    let prefix = environment.get("LEASE_PREFIX").map_or(DEFAULT_PREFIX, String::as_str);
    let slack = environment.get("LEASE_SLACK").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut world = World::new(
        target,
        (engine, options_of_dnsmasq),
        Clocks::new(truth, scenario.router.drift),
        Findings::new(case),
        prefix.as_bytes().to_vec(),
        slack,
    )?;
    world.log = options.log.then_some(&mut report.log);
    world.seed(options.seed);
    world.torn_may_lose = scenario.forgive.contains(&Forgiven::TornWrite);
    world.commit_may_repeat = scenario.forgive.contains(&Forgiven::RepeatedCommit);
    world.cuts_ids = scenario.server.long_ids == Some(LongIds::Cut);
    world.fixed_ids = scenario.server.long_ids.is_some();
    world.recorder = watch.recorder;
    world.probe = watch.probe;
    Player::new(case, &mut world).play()?;
    if let Some(recorder) = &mut world.recorder {
        recorder.truth = (truth, world.clocks.truth());
    }
    let mut total = world.total.clone();
    total.add(&world.step);
    let other_ids = world.other_ids;
    (report.failures, report.foreseen) = world.findings.finish();
    if other_ids {
        report.failures.clear();
        report.verdict = Verdict::Skipped(
            "its `long-ids` is not how this dnsmasq tells long client-ids (fix of CVE-2026-4892)"
                .to_owned(),
        );
    }
    if !report.failures.is_empty() {
        report.machine = Some(target.machine()?.into_owned());
    }
    report.total = total;
    Ok(())
}

/// The variables of the script, from the scenario's `[script]`.
fn environment(case: &Case) -> BTreeMap<String, String> {
    let script = &case.scenario.script;
    let mut environment = script.environment.clone();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            environment.insert(name.to_owned(), value);
        }
    };
    put("LEASE_SLACK", script.slack.map(|slack| slack.0.to_string()));
    put("LEASE_MAX", script.max.map(|max| max.to_string()));
    put("LEASE_STRICT", script.strict.map(|strict| u8::from(strict).to_string()));
    put("LEASE_NVRAM_FREE", script.free.map(|free| free.0.to_string()));
    environment
}

/// Whether the scenario names one of the project's own scripts.
fn is_ours(program: &str) -> bool {
    matches!(program, "shell" | "rust")
}

fn function(case: &Case, options: &Options) -> Result<Result<Function, String>, Fault> {
    let program = &case.scenario.script.program;
    if options.script.path.is_some() && is_ours(program.get_ref()) {
        return Ok(Err("a script of your own runs in processes only".to_owned()));
    }
    match program.get_ref().as_str() {
        "naive" => Ok(Ok(Function::Naive)),
        name if is_ours(name) => {
            let environment: Environment = environment(case).into_iter().collect();
            let config = Config::from_env(&environment)
                .map_err(|why| SourceError::new(&case.source, program.span(), why))?;
            Ok(Ok(Function::Ours(config)))
        }
        other => Ok(Err(format!("{other} runs in processes only"))),
    }
}

/// The script of a case, unless another was chosen, as a file and what runs it.
pub fn command(case: &Case, choice: &ScriptChoice) -> ScriptCommand {
    let program = case.scenario.script.program.get_ref().as_str();
    let file = match (&choice.path, program) {
        (Some(path), "shell" | "rust") => ScriptFile::Path(path.clone()),
        (None, "rust") => ScriptFile::LeaseUpdate,
        (None, "shell") => ScriptFile::BuiltIn("lease_update.sh", SHELL_SCRIPT),
        (_, "naive") => ScriptFile::BuiltIn("naive.sh", NAIVE_SCRIPT),
        (_, path) => {
            let folder = case.source.path.parent().unwrap_or(Path::new("."));
            ScriptFile::Path(folder.join(path))
        }
    };
    let shell = match file {
        ScriptFile::LeaseUpdate => Vec::new(),
        _ => choice.shell.clone(),
    };
    ScriptCommand { file, shell, environment: environment(case) }
}
