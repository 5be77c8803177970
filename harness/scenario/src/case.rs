//! A scenario with one value for each of its parameters.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::condition::Condition;
use crate::diagnostics::{Source, SourceError};
use crate::scenario::Scenario;
use crate::units::Parameters;

/// A setting from the command line that the scenario does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImposedSetting {
    /// The dialect of the `nvram` tool.
    Dialect,
    /// The release of dnsmasq.
    Release,
}

/// A scenario with one combination of the values of its parameters.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario file.
    pub source: Arc<Source>,
    /// The value of each parameter in this case.
    pub parameters: Parameters,
    /// The scenario, with the values of the parameters in place of their names.
    pub scenario: Scenario,
    /// The settings from the command line that the scenario does not name. The case may make no sense with them.
    pub imposed: Vec<ImposedSetting>,
    /// The places of the sections, by name.
    pub(crate) sections: Arc<BTreeMap<String, Range<usize>>>,
}

impl Case {
    /// Creates a case of a scenario without parameters that is not in a file. Errors name `path` and show no text.
    pub fn without_file(path: &Path, scenario: Scenario) -> Self {
        let source = Source::new(path, String::new());
        Self::new(source, Parameters::new(), scenario, Arc::default())
    }

    pub(crate) fn new(
        source: Arc<Source>,
        parameters: Parameters,
        scenario: Scenario,
        sections: Arc<BTreeMap<String, Range<usize>>>,
    ) -> Self {
        Self { source, parameters, scenario, imposed: Vec::new(), sections }
    }

    /// Returns the name of the case: the path of the file without its extension, and the parameters, if any, in
    /// brackets.
    pub fn name(&self) -> String {
        let file = self.source.path.with_extension("");
        let file = file.to_string_lossy();
        if self.parameters.is_empty() {
            return file.into_owned();
        }
        format!("{file}[{}]", self.parameters_text())
    }

    /// Returns the parameters as `name=value,…`.
    pub fn parameters_text(&self) -> String {
        let pairs: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join(",")
    }

    /// Returns whether the condition is true in this case.
    pub fn matches(&self, condition: &Condition) -> bool {
        condition.is_true(&self.parameters)
    }

    /// Returns the place of a section's header, or the start of the file if there is no such section.
    pub fn section(&self, name: &str) -> Range<usize> {
        self.sections.get(name).cloned().unwrap_or(0..0)
    }

    /// Creates an error at a place in the case's file.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        SourceError::new(&self.source, span, message)
    }
}
