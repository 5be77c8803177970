//! The state of one call, and the `nvram` commands that it uses.

use std::fmt::Display;

use lease_journal::OperationError;

use crate::call::{Call, Outcome};
use crate::config::Config;
use crate::intent_log::IntentLog;
use crate::nvram::{Nvram, NvramOutput};

/// The output of a call.
#[derive(Default)]
pub(crate) struct Output {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    pub(crate) fn warn(&mut self, text: impl Display) {
        self.stderr.extend_from_slice(format!("lease-update: {text}\n").as_bytes());
    }

    pub(crate) fn fail<T>(&mut self, text: impl Display) -> ScriptResult<T> {
        self.warn(text);
        Err(Abort::Failed)
    }

    /// Ignores an action that does not concern leases: arp-add, tftp and others.
    pub(crate) fn other_action(&mut self, call: &Call) -> ScriptResult {
        if call.arg(0).is_empty() {
            return self.fail("no action");
        }
        Ok(())
    }

    pub(crate) fn outcome(self, end: ScriptResult) -> Outcome {
        let (exit, killed) = match end {
            Ok(()) => (0, false),
            Err(Abort::Failed) => (1, false),
            Err(Abort::Killed) => (0, true),
        };
        Outcome { stdout: self.stdout, stderr: self.stderr, exit, killed }
    }
}

/// Why a call ends early.
#[derive(Clone, Copy)]
pub(crate) enum Abort {
    /// It failed with exit code 1, after a message.
    Failed,
    /// The process was killed.
    Killed,
}

pub(crate) type ScriptResult<T = ()> = Result<T, Abort>;

/// The state of a call.
pub(crate) struct Script<'a> {
    pub(crate) config: &'a Config,
    pub(crate) nvram: &'a mut dyn Nvram,
    pub(crate) intent_log: &'a mut dyn IntentLog,
    pub(crate) output: Output,
    /// Whether the tool could not be started.
    pub(crate) is_tool_missing: bool,
}

impl Script<'_> {
    pub(crate) fn warn(&mut self, text: impl Display) {
        self.output.warn(text);
    }

    pub(crate) fn fail<T>(&mut self, text: impl Display) -> ScriptResult<T> {
        self.output.fail(text)
    }

    pub(crate) fn command(&mut self, args: &[&[u8]]) -> ScriptResult<NvramOutput> {
        match self.nvram.run(args) {
            Ok(output) => Ok(output),
            Err(OperationError::Killed) => Err(Abort::Killed),
            Err(OperationError::Io(_)) => {
                self.is_tool_missing = true;
                Ok(NvramOutput { code: 127, ..NvramOutput::default() })
            }
        }
    }

    /// Runs a command that takes a name, and returns what it prints, messages included, and its exit code.
    pub(crate) fn get(&mut self, name: &[u8]) -> ScriptResult<(Vec<u8>, i32)> {
        let output = self.command(&[b"get", name])?;
        Ok(([output.stdout, output.stderr].concat(), output.code))
    }

    pub(crate) fn unreadable(&self) -> &'static str {
        if self.is_tool_missing {
            "cannot read NVRAM: no program nvram"
        } else {
            "cannot read NVRAM"
        }
    }

    pub(crate) fn name(&self, suffix: &[u8]) -> Vec<u8> {
        [&self.config.prefix, suffix].concat()
    }

    /// The result of an operation on the intent log; only being killed ends the script.
    pub(crate) fn logged<T>(result: Result<T, OperationError>, default: T) -> ScriptResult<T> {
        match result {
            Ok(value) => Ok(value),
            Err(OperationError::Killed) => Err(Abort::Killed),
            Err(OperationError::Io(_)) => Ok(default),
        }
    }
}

/// Makes untrusted text safe for a message: at most 80 characters, with `?` for all but letters, digits and `_.:-`.
pub(crate) fn sanitize(text: &[u8]) -> String {
    let fit = |c: &u8| match *c {
        c @ (b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b':' | b'-') => c.into(),
        _ => '?',
    };
    text.iter().take(80).map(fit).collect()
}
