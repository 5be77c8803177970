//! Settings of the process back end.

use std::path::PathBuf;

use sandbox::Isolation;

/// The settings of the process back end that do not depend on the script.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `leaselab` executable, which also runs as `nvram`, as `lease-update` and as the agent.
    pub leaselab: PathBuf,
    /// Time limit for a script call in milliseconds.
    pub limit_ms: u64,
    /// How far scripts are kept away from the machine.
    pub isolation: Isolation,
    /// Programs of the machine that a sandbox shows wherever they lie.
    pub programs: Vec<PathBuf>,
}
