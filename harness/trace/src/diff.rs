//! Describes the differences between a recorded call and the engine's call as lines of text.

use std::fmt::Write as _;

use super::recording::Call;
use dnsmasq_model::{CallDifference, ScriptCall};

/// One difference between a recording and the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The number of the stimulus, or `None` for a difference that concerns the whole recording.
    pub stimulus: Option<u64>,
    /// The kind of the stimulus.
    pub action: String,
    /// The sequence number of the recorded call, if there is one.
    pub seq: Option<u64>,
    /// Lines that begin with `- ` (recorded) or `+ ` (engine).
    pub lines: Vec<String>,
}

/// A call that the engine made, with its times.
#[derive(Debug, Clone)]
pub(super) struct EngineCall {
    pub(super) call: ScriptCall,
    pub(super) t: f64,
    pub(super) wall: f64,
    pub(super) mono: f64,
    /// Whether the call changed the stored variables, or `None` for `init`.
    pub(super) changed: Option<bool>,
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn argv(words: impl Iterator<Item = impl AsRef<[u8]>>) -> String {
    words.fold(String::new(), |mut line, word| {
        let _ = write!(line, " {}", show(word.as_ref()));
        line
    })
}

/// The parts of a call that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// Arguments and variables.
    CallOnly,
    /// Arguments, variables, times, and whether the call changed the stored variables.
    TimesAndStore,
}

/// Returns the differences between two calls.
pub(super) fn compare(want: &Call, got: &EngineCall, compared: Compared) -> Vec<String> {
    let mut lines = Vec::new();
    let words = want.script_call();
    for difference in words.differences(&got.call) {
        match difference {
            CallDifference::Arguments => {
                lines.push(format!("- argv{}", argv(words.argv.iter())));
                lines.push(format!("+ argv{}", argv(got.call.argv.iter())));
            }
            CallDifference::Variable { name, expected, actual } => {
                lines.extend(expected.map(|value| format!("- {name}={}", show(value))));
                lines.extend(actual.map(|value| format!("+ {name}={}", show(value))));
            }
        }
    }
    if compared == Compared::TimesAndStore {
        for (name, a, b) in
            [("t", want.t, got.t), ("wall", want.wall, got.wall), ("mono", want.mono, got.mono)]
        {
            if a.to_bits() != b.to_bits() {
                lines.push(format!("- {name} {a}"));
                lines.push(format!("+ {name} {b}"));
            }
        }
        let changed = got.changed.map(u8::from);
        if want.chg != changed {
            let word = |c: Option<u8>| c.map_or("none".to_owned(), |c| c.to_string());
            lines.push(format!("- chg {}", word(want.chg)));
            lines.push(format!("+ chg {}", word(changed)));
        }
    }
    lines
}

/// Describes a recorded call that the engine did not make.
pub(super) fn missing(want: &Call) -> Vec<String> {
    vec![format!("- argv{}", argv(want.argv.iter().map(|a| &a.0))), "+ no call".to_owned()]
}

/// Describes a call of the engine that is not recorded.
pub(super) fn surplus(got: &EngineCall) -> Vec<String> {
    vec!["- no call".to_owned(), format!("+ argv{}", argv(got.call.argv.iter()))]
}
