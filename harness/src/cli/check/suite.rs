//! The conformance suite.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::suite;
use scenario::{Case, Group, Overrides};

/// The scenarios of the suite.
const FOLDER: &str = "builtin:conformance";

/// The case that contains only an orderly restart. It is played first.
const BASIC: &str = "orderly-reboot";

/// The cases of the suite.
///
/// # Errors
/// An unknown dialect.
pub(super) fn cases(overrides: &Overrides) -> Result<Vec<Case>, CommandError> {
    suite::load(&[PathBuf::from(FOLDER)], overrides).map(|suite| suite.cases)
}

/// One case of each scenario: the first of the even ones, the last of the odd ones, so that both builds of dnsmasq occur.
pub(super) fn quick(cases: &[Case]) -> Vec<Case> {
    let mut chosen = Vec::new();
    for (number, file) in cases.chunk_by(|a, b| a.source.path == b.source.path).enumerate() {
        let index = if number % 2 == 0 { 0 } else { file.len() - 1 };
        chosen.push(file[index].clone());
    }
    chosen
}

/// The group of a case.
pub(super) fn group_of(case: &Case) -> Group {
    case.scenario.group.unwrap_or(Group::Survives)
}

/// Whether a case contains only an orderly restart.
pub(super) fn is_basic(case: &Case) -> bool {
    case.source.path.file_stem().is_some_and(|stem| stem == BASIC)
}
