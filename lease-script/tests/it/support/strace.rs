//! Programs whose system calls are listed, or fail, by strace.

use std::process::Command;

/// A command line that runs `command` below strace with the given options, and with the environment of `command` alone.
pub(crate) fn traced(options: &[&str], command: &Command) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-qq", "-e", "signal=none"]).args(options);
    traced.arg(command.get_program()).args(command.get_args()).env_clear();
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced
}

/// System calls that are not to fail: memory, the end of the process, and those that always succeed (geteuid(2),
/// getpid(2)). strace does not execute a call that it lets fail, whereas a `close` that fails has closed the file.
const OTHER: [&str; 9] =
    ["brk", "mmap", "munmap", "mprotect", "exit_group", "exit", "geteuid", "getpid", "close"];

/// The system calls of a log of strace from the first line on that contains `first`, each as its name and the number of
/// calls of that name so far, without those of [`OTHER`].
pub(crate) fn calls_from(first: &str, log: &str) -> Vec<(String, usize)> {
    let names: Vec<&str> = log.lines().filter_map(name).collect();
    let first = log.lines().position(|call| call.contains(first)).expect("the first call");
    let number = |at: usize| names[..=at].iter().filter(|name| **name == names[at]).count();
    (first..names.len())
        .filter(|at| !OTHER.contains(&names[*at]))
        .map(|at| (names[at].to_owned(), number(at)))
        .collect()
}

/// The name of the call in a line, which begins with the number of the process if strace follows children.
fn name(line: &str) -> Option<&str> {
    let (before, _) = line.split_once('(')?;
    before.rsplit(' ').next()
}
