//! The smallest failing household as the text of a scenario file.

use std::path::Path;

use super::shrink::Minimised;
use super::trial::Subject;
use runner::{Fault, Finding};
use scenario::{Overrides, cases, to_toml};

/// A file that fails.
#[derive(Clone, Debug)]
pub struct Reproducer {
    /// Its text.
    pub text: String,
    /// What failed when the text was read and played as `leaselab run` plays it.
    pub finding: Finding,
}

/// Writes a minimised household, and plays what was written. `origin`: lines that say where it comes from.
/// `None` where the text, played strictly, does not fail.
///
/// # Errors
/// When the target fails.
pub fn reproducer(
    suspect: &Subject,
    small: &Minimised,
    path: &Path,
    origin: &str,
) -> Result<Option<Reproducer>, Fault> {
    let mut scenario = small.scenario.clone();
    let name = small.finding.kind.name();
    scenario.title =
        format!("{name} broken by {} events of a random household", scenario.steps.len());
    let text = |finding: &Finding| {
        let Finding { step, line, text, .. } = finding;
        to_toml(&scenario, &format!("{origin}\n\n{name}, step {step}, line {line}:\n  {text}"))
    };
    let draft = text(&small.finding);
    let case = cases(path, draft, &Overrides::default())?.remove(0);
    let found = suspect.judge(&case)?;
    let first = found.into_iter().find(|finding| finding.kind == small.finding.kind);
    Ok(first.map(|finding| Reproducer { text: text(&finding), finding }))
}
