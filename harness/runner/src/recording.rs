//! Records undisturbed runs in process, for explorers and workloads.

use super::case_error::CaseError;
use super::observers::Observers;
use super::options::{InitCalls, Options, ScriptExecution};
use super::play::play;
use super::recorder::{Recorder, TimedCall};
use super::report::blank_report;
use super::script::{ScriptChoice, environment, function, prefix};
use super::setup::router;
use backend::{Function, InProcess};
use scenario::{BackendKind, Case};

/// The recording of an undisturbed run.
#[derive(Debug)]
pub struct Recording {
    /// The snapshots and client actions.
    pub recorder: Recorder,
    /// The prefix of the names of lease variables.
    pub prefix: Vec<u8>,
}

/// Runs a case in process and keeps a snapshot before each script call.
///
/// `script` replaces the case's own. The inner error says why the case's script cannot be run as a function.
///
/// # Errors
/// See [`play`].
pub fn record(
    case: &Case,
    script: Option<Function>,
) -> Result<Result<Recording, String>, CaseError> {
    if let Some(reason) = case.incompatibility(BackendKind::FaultExplorer) {
        return Ok(Err(reason.to_string()));
    }
    let options = options();
    let function = match script {
        Some(function) => function,
        None => match function(case, &options.script)? {
            Ok(function) => function,
            Err(why) => return Ok(Err(why)),
        },
    };
    let mut recorder = Recorder::default();
    run(case, function, &options, &mut recorder)?;
    Ok(Ok(Recording { recorder, prefix: prefix(&environment(case)) }))
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
    }
}

fn run(
    case: &Case,
    script: Function,
    options: &Options,
    recorder: &mut Recorder,
) -> Result<(), CaseError> {
    let mut report = blank_report(case);
    let mut target = InProcess::new(router(case)?, script);
    let observers = Observers { recorder: Some(recorder), ..Observers::default() };
    play(case, &mut target, options, &mut report, observers)
}
