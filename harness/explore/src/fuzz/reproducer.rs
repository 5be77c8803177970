//! Writes a minimised household as a scenario file that fails.

use std::path::Path;

use super::minimise::Minimised;
use super::subject::Subject;
use runner::{CaseError, Finding};
use scenario::{Overrides, cases, to_toml};

/// A scenario file that fails.
#[derive(Clone, Debug)]
pub struct Reproducer {
    /// The text of the file.
    pub text: String,
    /// What failed when the text was parsed and played as by `leaselab run`.
    pub finding: Finding,
}

/// Renders a minimised household as a scenario file for `path`, and plays the result. `origin` is the comment at its
/// head. Returns `None` if the text does not fail when it is played strictly.
///
/// # Errors
/// The back end fails.
pub fn reproducer(
    subject: &Subject,
    minimised: &Minimised,
    path: &Path,
    origin: &str,
) -> Result<Option<Reproducer>, CaseError> {
    let mut scenario = minimised.scenario.clone();
    let name = minimised.finding.kind.name();
    scenario.title =
        format!("{name} broken by {} events of a random household", scenario.steps.len());
    let text = |finding: &Finding| {
        let Finding { step, line, text, .. } = finding;
        to_toml(&scenario, &format!("{origin}\n\n{name}, step {step}, line {line}:\n  {text}"))
    };
    let draft = text(&minimised.finding);
    let case = cases(path, draft, &Overrides::default())?.remove(0);
    let findings = subject.judge(&case)?;
    let first = findings.into_iter().find(|finding| finding.kind == minimised.finding.kind);
    Ok(first.map(|finding| Reproducer { text: text(&finding), finding }))
}
