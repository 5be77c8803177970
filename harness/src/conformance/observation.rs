//! Something that was found in a case, or at a power cut.

use super::cause::Cause;
use crate::words::Words;
use runner::Severity;
use scenario::Group;

/// Something that was found in a case, or at a power cut.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What is wrong.
    pub cause: Cause,
    /// How serious it is.
    pub severity: Severity,
    /// The group of the case in which it was found.
    pub found_in: Group,
    /// Whether the case is no more than an orderly restart.
    pub is_basic: bool,
    /// The name of the case.
    pub case: String,
    /// What happens in the case, in one line.
    pub title: String,
    /// What was found.
    pub text: String,
    /// The lease that must be stored and the one that is, as lines of dnsmasq's lease file.
    pub lines: (Option<Vec<u8>>, Option<Vec<u8>>),
    /// The command that shows it again.
    pub command: Words,
}
