//! Programs that run longer than a call, such as a real dnsmasq.

use std::path::{Path, PathBuf};

use dnsmasq_model::Clock;
use sandbox::Isolation;
use sandbox::clock::Time;

use super::environment::seen_scratch;
use super::process_id;
use super::protocol::{Program, ProgramEnd, Request};
use super::router::Process;
use crate::backend::Backend as _;
use crate::error::BackendError;

impl Process {
    /// Starts a program without a time limit, with its output going to the file `log`. Returns its process id.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self, program: Program, log: &Path) -> Result<i32, BackendError> {
        let log = match log.strip_prefix(self.folder.path()) {
            Ok(name) => seen_scratch(self.folder.path(), self.isolation).join(name),
            Err(_) => log.to_owned(),
        };
        let started: Result<i32, String> = self.agent.ask(&Request::Start(program, log))?;
        let id = started.map_err(BackendError::Environment)?;
        match self.isolation {
            Isolation::None => Ok(id),
            Isolation::Full | Isolation::SharedNetwork => {
                process_id::on_this_machine(self.agent.process_id(), id).ok_or_else(|| {
                    BackendError::Environment(
                        "a program of the sandbox was started, but its process cannot be found"
                            .to_owned(),
                    )
                })
            }
        }
    }

    /// Sets the clocks of programs that run already, and of those that are started later.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn set_running_clock(&mut self, clock: Clock) -> Result<(), BackendError> {
        self.set_clock(clock);
        self.agent.ask(&Request::SetClock(Time { wall: clock.wall, mono: clock.mono }))
    }

    /// The path of one of the programs of [`Settings::programs`](super::Settings::programs), as scripts see it.
    pub fn seen_program(&self, index: usize) -> PathBuf {
        self.seen(&sandbox::Root::program_name(index))
    }

    /// The working folder of scripts, as they see it.
    pub fn working_folder(&self) -> PathBuf {
        match self.isolation {
            Isolation::None => self.path(sandbox::RAM_FOLDER).join("tmp"),
            // As dnsmasq does (main in dnsmasq.c).
            Isolation::Full | Isolation::SharedNetwork => PathBuf::from("/"),
        }
    }

    /// Sends a signal to the program that [`Process::start`] started last.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn signal(&mut self, signal: i32) -> Result<(), BackendError> {
        self.agent.ask(&Request::Signal(signal))
    }

    /// Waits until the program that [`Process::start`] started last has ended. `None` if there is none.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn reap(&mut self) -> Result<Option<ProgramEnd>, BackendError> {
        self.agent.ask(&Request::Reap)
    }
}
