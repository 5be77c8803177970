//! Finds out whether the interpreter of the script works.
//!
//! It is started in the sandbox only: the command of a shell can come from a file of the repository under test.

use std::fs;

use super::files::remove_if_exists;
use super::protocol::{Octets, ProgramEnd, Run};
use super::router::Process;
use crate::error::BackendError;

/// The name of the empty script in the scratch folder.
const EMPTY_SCRIPT: &str = "empty-script";

impl Process {
    /// Finds out once, after a call that failed, whether the interpreter is to blame: it must run an empty script.
    ///
    /// # Errors
    /// If the interpreter cannot run it.
    pub(super) fn check_interpreter(&mut self) -> Result<(), BackendError> {
        let Some(interpreter) = self.unchecked_interpreter.take() else { return Ok(()) };
        let script = self.path(EMPTY_SCRIPT);
        let environment = |error| BackendError::environment("the scratch folder", &error);
        fs::write(&script, "").map_err(environment)?;
        let seen = self.seen(EMPTY_SCRIPT).to_string_lossy().into_owned();
        let words = interpreter.words.iter().cloned().chain([seen]);
        let argv = words.map(|word| Octets(word.into_bytes())).collect();
        let programs = vec![self.program(argv, &[])];
        let run = Run { programs, time: self.time, watch: false, stop: None };
        let done = self.agent.run(run)?.results.pop().ok_or_else(BackendError::no_agent)?;
        remove_if_exists(&script).map_err(environment)?;
        let end = match done.end.map_err(|error| self.start_failure(error))? {
            ProgramEnd::Exited(0) => return Ok(()),
            ProgramEnd::Exited(code) => format!("exit code {code}"),
            ProgramEnd::Signalled(signal) => format!("signal {signal}"),
            ProgramEnd::TimedOut => "it does not end".to_owned(),
        };
        let why = interpreter.failure(&self.script_shown, &end, &done.stderr.0);
        Err(BackendError::Script(why))
    }
}
