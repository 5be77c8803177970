//! Runs one case on the back end that the options name.

use std::fmt::Write as _;
use std::time::Instant;

use nvram_emu::Machine;

use super::case_error::{CaseError, InProcessError};
use super::finding::Finding;
use super::finding_kind::FindingKind;
use super::lenient_log::LenientLog;
use super::observers::Observers;
use super::options::{Options, ScriptExecution};
use super::play::play;
use super::report::{CaseReport, Verdict, blank_report};
use super::script::{command, function, keeps_no_journal};
use super::setup::router;
use super::tally::Tally;
use backend::process::{Process, Settings};
use backend::{BackendError, Function, InProcess};
use scenario::{Case, Store};

/// Runs a case on the back end that the options name, or on both.
///
/// # Errors
/// A back end that fails. A scenario that cannot be carried out is a verdict.
pub fn run_case(case: &Case, options: &Options) -> Result<CaseReport, BackendError> {
    let began = Instant::now();
    let mut report = blank_report(case);
    if let Some(why) = keeps_no_journal(case, &options.script) {
        report.verdict = Verdict::Skipped(why);
        return Ok(report);
    }
    let played = play_on_target(case, options, &mut report);
    report.conclude(case, &options.script, &options.gate, played)?;
    report.took = began.elapsed();
    Ok(report)
}

fn play_on_target(
    case: &Case,
    options: &Options,
    report: &mut CaseReport,
) -> Result<(), CaseError> {
    match &options.execution {
        ScriptExecution::InProcess => run_in_process(case, options, report),
        ScriptExecution::Process(settings) => run_in_processes(case, options, settings, report),
        ScriptExecution::Both(settings) => {
            run_in_processes(case, options, settings, report)?;
            let mut other = blank_report(case);
            run_in_process(case, options, &mut other)?;
            if !matches!(other.verdict, Verdict::Skipped(_)) {
                report.failures.extend(disagreement(case, report, &other));
            }
            Ok(())
        }
    }
}

fn run_in_process(
    case: &Case,
    options: &Options,
    report: &mut CaseReport,
) -> Result<(), CaseError> {
    match function(case, &options.script) {
        Ok(function) => {
            let mut target = InProcess::new(router(case)?, function);
            if case.scenario.router.store == Store::Journal {
                target = target.with_journal();
            }
            play(case, &mut target, options, report, Observers::default())?;
        }
        Err(InProcessError::Unavailable(why)) => report.verdict = Verdict::Skipped(why),
        Err(InProcessError::Case(error)) => return Err(error),
    }
    Ok(())
}

fn run_in_processes(
    case: &Case,
    options: &Options,
    settings: &Settings,
    report: &mut CaseReport,
) -> Result<(), CaseError> {
    let script = command(case, &options.script)?;
    let mut target = Process::new(router(case)?, &script, settings)?;
    if case.scenario.router.store == Store::Journal {
        target = target.with_journal()?;
    }
    report.machine_clock = target.machine_clock().map(str::to_owned);
    play(case, &mut target, options, report, Observers::default())
}

/// Runs a case on this machine, with `script` in place of its own if given.
///
/// With a lenient log, steps that cannot be carried out are skipped, and the run ends at the first failure.
///
/// # Errors
/// A scenario that cannot be carried out, or a back end that fails.
pub fn run_on_machine(
    case: &Case,
    machine: Machine,
    script: Option<&Function>,
    options: &Options,
    lenient_log: Option<&mut LenientLog>,
) -> Result<CaseReport, CaseError> {
    let mut report = blank_report(case);
    let observers = Observers { lenient_log, ..Observers::default() };
    let script = match (script, &options.execution) {
        (Some(script), _) => script.clone(),
        (None, ScriptExecution::Process(settings)) => {
            let script = command(case, &options.script)?;
            let mut target = Process::new(machine, &script, settings)?;
            play(case, &mut target, options, &mut report, observers)?;
            return Ok(report);
        }
        (None, _) => function(case, &options.script).map_err(|error| match error {
            InProcessError::Unavailable(why) => BackendError::Script(why).into(),
            InProcessError::Case(error) => error,
        })?,
    };
    let mut target = InProcess::new(machine, script);
    play(case, &mut target, options, &mut report, observers)?;
    Ok(report)
}

/// A finding if the two back ends differ.
fn disagreement(case: &Case, processes: &CaseReport, functions: &CaseReport) -> Option<Finding> {
    let same_findings = |a: &[Finding], b: &[Finding]| {
        a.iter().map(|f| (f.step, f.kind)).eq(b.iter().map(|f| (f.step, f.kind)))
    };
    if processes.total == functions.total
        && same_findings(&processes.failures, &functions.failures)
        && same_findings(&processes.expected_violations, &functions.expected_violations)
    {
        return None;
    }
    let text = format!(
        "the back ends differ; processes: {}; in process: {}",
        outcome(processes),
        outcome(functions)
    );
    Some(Finding::of_case(case, FindingKind::Anomaly, text))
}

/// Counts and findings of one back end.
fn outcome(report: &CaseReport) -> String {
    let Tally { calls, failed_calls, commands, commits, erases, programmed, operations, .. } =
        report.total;
    let mut text = format!(
        "{calls} calls, {failed_calls} failed, {commands} nvram commands, {commits} commits, {erases} erases, \
         {programmed} bytes programmed, {operations} flash operations"
    );
    for (name, findings) in
        [("failed", &report.failures), ("expected violation", &report.expected_violations)]
    {
        for Finding { step, kind, text: what, .. } in findings {
            let _ = write!(text, "; {name} at step {step}: {}: {what}", kind.name());
        }
    }
    text
}
