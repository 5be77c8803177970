//! Adapter that exposes an external script as a [`Function`](super::Function): it can be called in any state of a router.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lease_script::Outcome;
use nvram_emu::Machine;

use super::backend::Backend as _;
use super::call::{CallEnd, CallOptions, CallResult};
use super::error::BackendError;
use super::file_history::FileHistory;
use super::process::{FileTree, Process, ScriptCommand, Settings, Storage};
use super::router_files::RouterFiles;
use dnsmasq_model::{Clock, ScriptCall};

/// An external script, and a pool of idle routers on which it runs.
pub struct ExternalScript {
    script: ScriptCommand,
    settings: Settings,
    idle: Mutex<Vec<Process>>,
    error: Mutex<Option<BackendError>>,
}

/// The result of a call, with the state of the router after it.
#[derive(Debug)]
pub(super) struct ExternalResult {
    pub(super) result: CallResult,
    /// Flash and NVRAM contents in RAM after the call.
    pub(super) machine: Machine,
    /// The files after the call.
    pub(super) files: RouterFiles,
    /// The files in RAM before and after each `nvram` command.
    pub(super) ram_around_commands: Vec<(FileTree, FileTree)>,
    /// How the call changed the persistent files, if that was recorded.
    pub(super) history: Option<FileHistory>,
}

impl ExternalScript {
    /// An external script. Processes are started at the first call.
    pub fn new(script: ScriptCommand, settings: Settings) -> Self {
        Self { script, settings, idle: Mutex::default(), error: Mutex::default() }
    }

    /// The persistent folders of its routers.
    pub(super) fn storage(&self) -> &Storage {
        &self.script.storage
    }

    /// Takes the first error that prevented a call.
    pub fn take_error(&self) -> Option<BackendError> {
        lock(&self.error).take()
    }

    pub(super) fn record_error(&self, error: BackendError) {
        lock(&self.error).get_or_insert(error);
    }

    /// Makes a call on a router in this state.
    pub(super) fn call(
        &self,
        (machine, files, clock): (&Machine, &RouterFiles, Option<Clock>),
        call: &ScriptCall,
        options: &CallOptions,
    ) -> Result<ExternalResult, BackendError> {
        let waiting = lock(&self.idle).pop();
        let mut process = match waiting {
            Some(process) => process,
            None => Process::watching_files(machine.clone(), &self.script, &self.settings)?,
        };
        process.restore(machine, files)?;
        if let Some(clock) = clock {
            process.set_clock(clock);
        }
        let result = process.call(call, options)?;
        let ram_around_commands = process.take_ram_files();
        let history = process.take_history();
        let (machine, files) = (process.machine()?.into_owned(), process.files()?);
        lock(&self.idle).push(process);
        Ok(ExternalResult { result, machine, files, ram_around_commands, history })
    }
}

impl ExternalResult {
    /// The result as a function returns it.
    pub(super) fn outcome(self) -> Outcome {
        let CallResult { end, stdout, stderr, .. } = self.result;
        let (exit, killed) = match end {
            CallEnd::Exited(code) => (code as u8, false),
            CallEnd::Killed(_) | CallEnd::PowerLost => (0, true),
            CallEnd::TimedOut => (u8::MAX, false),
        };
        Outcome { stdout, stderr, exit, killed }
    }
}

impl fmt::Debug for ExternalScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalScript").field("script", &self.script).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
