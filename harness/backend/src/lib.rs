//! Where script calls go: functions over a simulated device, or real processes.

mod daemon;
mod in_process;
mod naive;
mod plan;
pub mod process;
mod scripted;
mod whole_file;

use std::borrow::Cow;

use nvram_emu::Machine;
use nvram_emu::device::Op;

use dnsmasq_model::ScriptCall;

pub use daemon::{Daemon, Ended, Start};
pub use in_process::{CallTrace, CommandSnapshot, Function, InProcess, is_reading};
pub use plan::FaultInjector;
pub use scenario::Disturbance;
pub use scripted::Scripted;
pub use whole_file::write_whole;

/// What goes on around one script call.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What strikes the call.
    pub disturbance: Option<Disturbance>,
    /// Whether a web page calls `init` meanwhile.
    pub web_page: bool,
    /// Whether to note the files in RAM beside each `nvram` command of a process.
    pub follow: bool,
}

/// How a script call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The script's own exit code.
    Exited(i32),
    /// A signal killed it; the power stayed.
    Killed(i32),
    /// Power went.
    PowerLost,
    /// It did not end within its limit, and was killed with its children.
    Hung,
}

/// What a script call did.
#[derive(Clone, Debug)]
pub struct CallResult {
    /// How it ended.
    pub end: CallEnd,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The `nvram` commands that it ran, in order, without the program's name.
    pub commands: Vec<Vec<Vec<u8>>>,
    /// The flash operations that they made.
    pub operations: Vec<Op>,
    /// Whether it wrote to a journal.
    pub wrote_journal: bool,
    /// What a web page saw of `init` meanwhile: its output and exit code.
    pub pages: Vec<(Vec<u8>, Option<i32>)>,
}

/// What a command outside the script printed and returned.
#[derive(Clone, Debug)]
pub struct CommandResult {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// The flash operations that it made.
    pub operations: Vec<Op>,
}

/// Why a target could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The machine that runs the lab lacks something, or refuses it.
    #[error("{0}")]
    Environment(String),
    /// The script under test cannot be run.
    #[error("{0}")]
    Script(String),
    /// The router fell apart: nothing can be judged any more.
    #[error("{0}")]
    Broken(String),
}

/// A router on which a lease script runs.
pub trait Target {
    /// Calls the script, and waits until it has ended.
    ///
    /// # Errors
    /// When the script could not be started at all.
    fn call(&mut self, call: &ScriptCall, plan: &Plan) -> Result<CallResult, TargetError>;

    /// Runs another program's `nvram` command.
    ///
    /// # Errors
    /// When it could not be started at all.
    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, TargetError>;

    /// Power goes: every process ends, RAM is empty.
    ///
    /// # Errors
    /// When the target's own files refuse.
    fn power_off(&mut self) -> Result<(), TargetError>;

    /// The flash and RAM as they are, for observers.
    ///
    /// # Errors
    /// When the target's own files cannot be read.
    fn machine(&mut self) -> Result<Cow<'_, Machine>, TargetError>;

    /// This target, where it is one of function calls.
    fn in_process(&self) -> Option<&InProcess> {
        None
    }

    /// The real dnsmasq of this target, where it has one.
    fn daemon(&mut self) -> Option<&mut dyn Daemon> {
        None
    }

    /// Replaces flash and RAM, as damage does.
    ///
    /// # Errors
    /// When the target's own files refuse.
    fn replace(&mut self, machine: Machine) -> Result<(), TargetError>;
}
