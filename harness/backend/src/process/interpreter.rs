//! The program that runs the script: a shell of the command line, or the one of the script's `#!` line.

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
    pub(super) fn failure(&self, script: &str, end: &str, stderr: &[u8]) -> String {
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
