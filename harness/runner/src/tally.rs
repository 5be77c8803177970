//! Counts script calls, `nvram` commands and flash operations.

use nvram_emu::device::{Op, OpKind};

use backend::{CallEnd, CallResult};
use dnsmasq_model::ScriptCall;

/// Maximum number of calls in [`Tally::listed`].
const MAX_LISTED: usize = 10_000;

/// Counts of a step or of a whole case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Script calls, `init` included.
    pub calls: u64,
    /// Script calls that did not exit with 0.
    pub failed_calls: u64,
    /// `nvram` commands of the script.
    pub commands: u64,
    /// `nvram commit` commands of the script that touched the flash.
    pub commits: u64,
    /// Erases.
    pub erases: u64,
    /// Bytes programmed.
    pub programmed: u64,
    /// Flash operations.
    pub operations: u64,
    /// Actions and arguments of the calls of a step.
    pub listed: Vec<String>,
}

impl Tally {
    /// Counts a script call.
    pub fn call(&mut self, call: &ScriptCall, result: &CallResult) {
        self.calls += 1;
        if result.end != CallEnd::Exited(0) {
            self.failed_calls += 1;
        }
        self.commands += result.commands.len() as u64;
        let commits = result.commands.iter().filter(|command| command.is("commit")).count() as u64;
        if !result.operations.is_empty() {
            self.commits += commits;
        }
        self.commits += u64::from(result.wrote_journal);
        self.flash(&result.operations);
        if self.listed.len() < MAX_LISTED {
            self.listed.push(call_text(call));
        }
    }

    /// Counts flash operations.
    pub(super) fn flash(&mut self, operations: &[Op]) {
        self.operations += operations.len() as u64;
        for operation in operations {
            match operation.kind {
                OpKind::Erase => self.erases += 1,
                OpKind::Program => self.programmed += u64::from(operation.len),
            }
        }
    }

    /// Adds the counts of a step.
    pub fn add(&mut self, step: &Self) {
        self.calls += step.calls;
        self.failed_calls += step.failed_calls;
        self.commands += step.commands;
        self.commits += step.commits;
        self.erases += step.erases;
        self.programmed += step.programmed;
        self.operations += step.operations;
    }
}

/// A call as text: action and arguments.
pub fn call_text(call: &ScriptCall) -> String {
    let mut text = String::new();
    for (number, word) in call.argv.iter().skip(1).enumerate() {
        if number > 0 {
            text.push(' ');
        }
        text.extend(word.escape_ascii().map(char::from));
    }
    text
}

/// How a call ended, in one or two words.
pub fn end_text(end: CallEnd) -> String {
    match end {
        CallEnd::Exited(code) => format!("exit {code}"),
        CallEnd::Killed(signal) => format!("signal {signal}"),
        CallEnd::PowerLost => "power off".to_owned(),
        CallEnd::TimedOut => "timeout".to_owned(),
    }
}
