//! Which findings make a command fail.

use runner::{GatePolicy, Severity};
use scenario::Group;

/// Options that say which findings make a command fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct GateOptions {
    /// Fail for findings of at least this severity
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "bug")]
    deny: SeverityChoice,
    /// Do not fail for findings of this group
    #[arg(long, value_name = "GROUP", value_parser = group)]
    allow: Vec<Group>,
}

/// Severities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum SeverityChoice {
    /// Redundant writes, risks and bugs
    Advice,
    /// Risks and bugs
    Risk,
    /// Bugs only
    #[default]
    Bug,
}

fn group(name: &str) -> Result<Group, String> {
    Group::ALL.into_iter().find(|group| group.name() == name).ok_or_else(|| {
        let names: Vec<&str> = Group::ALL.iter().map(|group| group.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

impl GateOptions {
    /// The policy.
    pub(in crate::cli) fn policy(&self) -> GatePolicy {
        let deny = match self.deny {
            SeverityChoice::Advice => Severity::Advice,
            SeverityChoice::Risk => Severity::Risk,
            SeverityChoice::Bug => Severity::Bug,
        };
        GatePolicy { deny, allow: self.allow.iter().copied().collect() }
    }
}
