//! Something that was found in a case, or at a power cut.

use super::cause::Cause;
use crate::words::Words;
use runner::Severity;
use scenario::{Group, Rtc};

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
    /// The build of dnsmasq in the case.
    pub rtc: Rtc,
    /// The name of the case.
    pub case: String,
    /// What happens in the case, in one line.
    pub title: String,
    /// What was found.
    pub text: String,
    /// The command that shows it again.
    pub command: Words,
}
