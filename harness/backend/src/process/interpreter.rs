//! The program that runs the script: a shell of the command line, or the one of the script's `#!` line.
//!
//! Whether it can be run is found out in the sandbox: the command of a shell can come from a file of the repository under
//! test.

use std::fs;

use super::files::remove_if_exists;
use super::protocol::{Octets, ProgramEnd, Run};
use super::router::Process;
use crate::error::BackendError;

/// The name of the empty script in the scratch folder.
const EMPTY_SCRIPT: &str = "empty-script";

/// The program that runs the script, with its arguments.
#[derive(Debug)]
pub(super) struct Interpreter {
    /// The program and its arguments, without the script.
    pub(super) words: Vec<String>,
    /// Where it is named, for messages.
    source: &'static str,
}

impl Interpreter {
    /// The interpreter of a script; `None` if the script is a program itself.
    pub(super) fn of(shell: &[String], script: &[u8]) -> Option<Self> {
        if !shell.is_empty() {
            return Some(Self { words: shell.to_vec(), source: "--shell" });
        }
        let line = script.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
        let line = String::from_utf8_lossy(line);
        // The kernel passes all that follows the program as one argument.
        let (program, argument) = line.trim().split_once([' ', '\t']).unwrap_or((line.trim(), ""));
        let words = [program, argument.trim()].into_iter().filter(|word| !word.is_empty());
        Some(Self { words: words.map(str::to_owned).collect(), source: "its first line" })
            .filter(|interpreter| !interpreter.words.is_empty())
    }

    /// The message for an interpreter that fails even with an empty script.
    fn failure(&self, script: &str, end: &str, stderr: &[u8]) -> String {
        let Self { words, source } = self;
        let first = stderr.split(|byte| *byte == b'\n').find(|line| !line.is_empty());
        let said = first.map_or_else(String::new, |line| {
            format!(": {}", String::from_utf8_lossy(line).trim_end())
        });
        format!(
            "{script}: `{}` of {source} cannot run even an empty script: {end}{said}",
            words.join(" ")
        )
    }
}

impl Process {
    /// Finds out once, after a call that failed, whether the interpreter is to blame: it must run an empty script.
    ///
    /// # Errors
    /// If the interpreter cannot run it.
    pub(super) fn check_interpreter(&mut self) -> Result<(), BackendError> {
        let Some(interpreter) = self.unproven_interpreter.take() else { return Ok(()) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["busybox", "ash"], "#!/bin/sh\n", Some("busybox|ash"))]
    #[case(&[], "#!/bin/sh\nexit 0\n", Some("/bin/sh"))]
    #[case(&[], "#! /usr/bin/env  lua -W \n", Some("/usr/bin/env|lua -W"))]
    #[case(&[], "#!\n", None)]
    #[case(&[], "exit 0\n", None)]
    fn the_interpreter_is_the_shell_or_the_program_of_the_first_line(
        #[case] shell: &[&str],
        #[case] script: &str,
        #[case] expected: Option<&str>,
    ) {
        let shell: Vec<String> = shell.iter().map(|word| (*word).to_owned()).collect();
        let words = Interpreter::of(&shell, script.as_bytes()).map(|found| found.words.join("|"));
        assert_eq!(words.as_deref(), expected);
    }
}
