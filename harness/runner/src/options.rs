//! How cases are run.

use super::script::ScriptChoice;
use backend::process::Settings;

/// The back end that script calls go to.
#[derive(Clone, Debug)]
pub enum TargetKind {
    /// Real processes.
    Process(Settings),
    /// Functions over a machine in memory.
    InProcess,
    /// Both; a difference between them is a failure.
    Both(Settings),
}

/// How cases are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The back end.
    pub target: TargetKind,
    /// The script.
    pub script: ScriptChoice,
    /// Seed of the temporary DHCPv6 addresses that a server draws.
    pub seed: u64,
    /// The subcommand that runs the case, for the command that reproduces a failure.
    pub command: &'static [&'static str],
    /// The arguments that differ from the defaults, for the same command.
    pub arguments: Vec<String>,
    /// Whether the report has a line for each script call.
    pub log: bool,
}
