//! Something that was found in a case, or at a power cut.

use super::cause::Cause;
use crate::words::Words;
use runner::Severity;
use scenario::Group;

/// What shows an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A case that contains only an orderly restart.
    OrderlyRestart,
    /// Another case.
    Scenario,
    /// A power cut or a kill in a case that passes without one.
    Fault,
}

/// Something that was found in a case, or at a power cut.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What is wrong.
    pub cause: Cause,
    /// How serious it is.
    pub severity: Severity,
    /// The group of the case in which it was found.
    pub found_in: Group,
    /// What shows it.
    pub origin: Origin,
    /// The name of the case.
    pub case: String,
    /// What happens in the case, in one line.
    pub title: String,
    /// What was found.
    pub text: String,
    /// The lease that must be stored and the one that is, as lines of dnsmasq's lease file.
    pub lines: (Option<Vec<u8>>, Option<Vec<u8>>),
    /// What the script wrote to stderr in the call that it is about, line by line.
    pub stderr: Vec<String>,
    /// The command that shows it again.
    pub command: Words,
}
