//! Records undisturbed runs in process, for explorers and workloads.

use super::case_error::{CaseError, InProcessError};
use super::configuration::release_of;
use super::finding::Finding;
use super::gate_policy::GatePolicy;
use super::observers::Observers;
use super::options::{InitCalls, Options, ScriptExecution};
use super::owned_variables::OwnedVariables;
use super::play::play;
use super::recorder::{Recorder, TimedCall};
use super::report::{CaseReport, blank_report};
use super::script::{ScriptChoice, function};
use super::setup::router;
use backend::{Function, InProcess};
use dnsmasq_model::Release;
use scenario::{BackendKind, Case};

/// The recording of an undisturbed run.
#[derive(Debug)]
pub struct Recording {
    /// The snapshots and client actions.
    pub recorder: Recorder,
    /// The NVRAM variables that belong to the script.
    pub owned: OwnedVariables,
    /// What the judge has found, and the scenario does not expect.
    pub findings: Vec<Finding>,
    /// The release of dnsmasq.
    pub release: Release,
}

/// Runs a case in process and keeps a snapshot before each script call.
///
/// `script` replaces the case's own, as `choice` says.
///
/// # Errors
/// See [`play`]; a case with faults of its own, or a script that is not available as a function.
pub fn record(
    case: &Case,
    script: Option<Function>,
    choice: &ScriptChoice,
) -> Result<Recording, InProcessError> {
    if let Some(reason) = case.incompatibility(BackendKind::FaultExplorer) {
        return Err(InProcessError::Unavailable(reason.to_string()));
    }
    let mut options = Options { script: choice.clone(), ..options() };
    let function = match script {
        Some(function) => function,
        None => function(case, &options.script)?,
    };
    let mut recorder = Recorder::default();
    let report = run(case, function.clone(), &options, &mut recorder)?;
    let (mut owned, findings) = (report.owned, report.failures);
    let added = owned.added_patterns();
    if !added.is_empty() {
        // The script has added variables that no pattern matches. Every snapshot must treat them alike.
        options.script.owns = owned.patterns().iter().cloned().chain(added).collect();
        recorder = Recorder::default();
        owned = run(case, function, &options, &mut recorder)?.owned;
    }
    let release = release_of(case, &case.scenario.server)?;
    Ok(Recording { recorder, owned, findings, release })
}

/// Runs a case in process with this script. Returns its calls and boots, and the true time at its beginning and end
/// in seconds since 1970.
///
/// # Errors
/// See [`play`].
pub fn calls_of(case: &Case, script: Function) -> Result<(Vec<TimedCall>, (i64, i64)), CaseError> {
    let mut recorder = Recorder { calls: Some(Vec::new()), ..Recorder::default() };
    run(case, script, &options(), &mut recorder)?;
    Ok((recorder.calls.unwrap_or_default(), recorder.truth))
}

fn options() -> Options {
    Options {
        execution: ScriptExecution::InProcess,
        script: ScriptChoice::default(),
        seed: 0,
        log: false,
        init_calls: InitCalls::default(),
        gate: GatePolicy::default(),
    }
}

fn run(
    case: &Case,
    script: Function,
    options: &Options,
    recorder: &mut Recorder,
) -> Result<CaseReport, CaseError> {
    let mut report = blank_report(case);
    let mut target = InProcess::new(router(case)?, script);
    let observers = Observers { recorder: Some(recorder), ..Observers::default() };
    play(case, &mut target, options, &mut report, observers)?;
    Ok(report)
}
