//! A script of processes behind the face of a function: called from any state of a router, and followed command
//! by command.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lease_script::Outcome;
use nvram_emu::Machine;

use super::process::{Files, Process, ScriptCommand, Settings};
use super::{CallEnd, CallResult, Plan, Target as _, TargetError};
use dnsmasq_model::ScriptCall;

/// A script, its shell, and the processes that wait to run it.
pub struct Scripted {
    script: ScriptCommand,
    settings: Settings,
    idle: Mutex<Vec<Process>>,
    fault: Mutex<Option<TargetError>>,
}

/// What a call of it did.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) result: CallResult,
    /// Flash and RAM after it.
    pub(super) machine: Machine,
    /// The files in RAM after it.
    pub(super) files: Files,
    /// The files in RAM before and after each `nvram` command.
    pub(super) beside: Vec<(Files, Files)>,
}

impl Scripted {
    /// A script that has not been called yet.
    pub fn new(script: ScriptCommand, settings: Settings) -> Self {
        Self { script, settings, idle: Mutex::default(), fault: Mutex::default() }
    }

    /// The first thing that kept a call from being made.
    pub fn take_fault(&self) -> Option<TargetError> {
        lock(&self.fault).take()
    }

    pub(super) fn fail(&self, fault: TargetError) {
        lock(&self.fault).get_or_insert(fault);
    }

    /// Makes a call on this router.
    pub(super) fn call(
        &self,
        (machine, files): (&Machine, &Files),
        call: &ScriptCall,
        plan: &Plan,
    ) -> Result<Done, TargetError> {
        let waiting = lock(&self.idle).pop();
        let mut process = match waiting {
            Some(process) => process,
            None => Process::new(machine.clone(), &self.script, &self.settings)?,
        };
        process.place(machine, files)?;
        let result = process.call(call, plan)?;
        let beside = process.take_beside();
        let (machine, files) = (process.machine()?.into_owned(), process.files()?);
        lock(&self.idle).push(process);
        Ok(Done { result, machine, files, beside })
    }
}

impl Done {
    /// As a function would have returned it.
    pub(super) fn outcome(self) -> Outcome {
        let CallResult { end, stdout, stderr, .. } = self.result;
        let (exit, killed) = match end {
            CallEnd::Exited(code) => (code as u8, false),
            CallEnd::Killed(_) | CallEnd::PowerLost => (0, true),
            CallEnd::Hung => (u8::MAX, false),
        };
        Outcome { stdout, stderr, exit, killed }
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("script", &self.script).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
