//! How cases are run.

use super::gate_policy::GatePolicy;
use super::script::ScriptChoice;
use backend::process::Settings;

/// How the script is run.
#[derive(Clone, Debug)]
pub enum ScriptExecution {
    /// As processes.
    Process(Settings),
    /// As a function over a machine in memory.
    InProcess,
    /// Both ways; a difference between them is a failure.
    Both(Settings),
}

/// How often the judge calls the script's `init` to see what is stored.
///
/// This concerns the project's own scripts in processes. In process, and with other scripts, `init` is always called
/// after each step that may have changed something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitCalls {
    /// At boots, at the end of the case, where a step's expectations ask for its output, and when the records in NVRAM
    /// are not those that must be stored. Otherwise the judge decodes the records itself.
    #[default]
    WhereNeeded,
    /// After each step that may have changed what is stored.
    EveryStep,
}

/// How cases are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the script is run.
    pub execution: ScriptExecution,
    /// The script.
    pub script: ScriptChoice,
    /// Seed of the temporary DHCPv6 addresses that a server draws.
    pub seed: u64,
    /// Whether the report has a line for each script call.
    pub log: bool,
    /// How often the judge calls `init`.
    pub init_calls: InitCalls,
    /// Which findings make a case fail.
    pub gate: GatePolicy,
}
