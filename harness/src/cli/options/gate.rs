//! Which findings make a command fail.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::words::Words;
use runner::{GatePolicy, Severity};
use scenario::Group;

/// Which findings make a command fail. The others are reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct GateOptions {
    /// Fail for findings of at least this severity [default: bug with --script, otherwise advice]
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser())]
    deny: Option<Severity>,
    /// Do not fail for findings of this group; may be repeated
    #[arg(long, value_name = "GROUP", value_parser = group_parser())]
    allow: Vec<Group>,
}

fn severity_parser() -> impl TypedValueParser<Value = Severity> {
    let names = PossibleValuesParser::new(Severity::ALL.map(Severity::name));
    names.map(|name| named(&Severity::ALL, Severity::name, &name))
}

fn group_parser() -> impl TypedValueParser<Value = Group> {
    let names = PossibleValuesParser::new(Group::ALL.map(Group::name));
    names.map(|name| named(&Group::ALL, Group::name, &name))
}

/// The value with a name that the parser has accepted.
fn named<T: Copy>(all: &[T], name_of: fn(T) -> &'static str, name: &str) -> T {
    let found = all.iter().copied().find(|value| name_of(*value) == name);
    found.expect("the parser accepts only these names")
}

impl GateOptions {
    /// The policy of a run. `is_chosen`: `--script` names the script.
    ///
    /// The project's own scripts and scenarios must not even do what only deserves advice.
    pub(in crate::cli) fn policy(&self, is_chosen: bool) -> GatePolicy {
        let default = if is_chosen { Severity::Bug } else { Severity::Advice };
        GatePolicy {
            deny: self.deny.unwrap_or(default),
            allow: self.allow.iter().copied().collect(),
        }
    }

    /// The options as words of a command line.
    pub(in crate::cli) fn add_to(&self, words: &mut Words) {
        words.option("--deny", self.deny.map(Severity::name));
        for group in &self.allow {
            words.option("--allow", Some(group.name()));
        }
    }
}
