//! Other programs that read the same files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Returns the CPU time of the children of this process that have ended.
fn children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // cutime and cstime, in ticks of 10 ms.
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap_or(0);
    Duration::from_millis(10 * (ticks(13) + ticks(14)))
}

/// Returns the lowest CPU time of several runs of a program, if it is installed and succeeds.
pub(super) fn best_of(runs: usize, command: impl Fn() -> Command) -> Option<Duration> {
    let run = || {
        let before = children();
        let status = command().stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
        status.success().then(|| children().saturating_sub(before))
    };
    (0..runs).map(|_| run()).min().flatten()
}

/// Returns the CPU time of a Python program with a file as its argument.
pub(super) fn python(runs: usize, program: &str, file: &Path) -> Option<Duration> {
    best_of(runs, || {
        let mut command = Command::new("python3");
        command.args(["-c", program]).arg(file);
        command
    })
}
