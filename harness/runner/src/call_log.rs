//! Script calls as lines of text.

use super::evidence::CallRecord;
use super::tally::{call_text, end_text};
use backend::NvramCommand;

/// Maximum number of lines of stderr.
const MAX_STDERR_LINES: usize = 20;

/// A call with its environment, its `nvram` commands and what it wrote to stderr.
pub fn call_lines(record: &CallRecord) -> Vec<String> {
    let CallRecord { call, result, disturbance } = record;
    let mut lines = vec![format!("{:<9} {}", end_text(result.end), call_text(call))];
    let mut add = |name: &str, text: &str| lines.push(format!("            {name:<7} {text}"));
    if let Some(fault) = disturbance {
        add("fault", &fault.to_string());
    }
    for line in environment_lines(record) {
        add("env", &line);
    }
    for command in &result.commands {
        add("nvram", &command_text(command));
    }
    for line in stderr_lines(&result.stderr) {
        add("stderr", &line);
    }
    lines
}

/// The environment variables that dnsmasq sets, each as `NAME=value`.
pub fn environment_lines(record: &CallRecord) -> Vec<String> {
    let variable = |(name, value): (&String, &Vec<u8>)| format!("{name}={}", value.escape_ascii());
    record.call.env.iter().map(variable).collect()
}

/// A command and its exit code.
pub fn command_text(command: &NvramCommand) -> String {
    let mut text = String::new();
    for word in &command.arguments {
        text.extend(word.escape_ascii().map(char::from));
        text.push(' ');
    }
    match command.code {
        Some(code) => text + &format!("-> exit {code}"),
        None => text + "-> no exit code",
    }
}

/// The lines of what a script wrote to stderr, without control characters.
pub fn stderr_lines(stderr: &[u8]) -> Vec<String> {
    let lines =
        stderr.trim_ascii_end().split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let all: Vec<String> = lines.map(|line| line.escape_ascii().to_string()).collect();
    match all.len().checked_sub(MAX_STDERR_LINES) {
        None | Some(0) => all,
        Some(more) => {
            let mut first = all[..MAX_STDERR_LINES].to_vec();
            first.push(format!("… and {more} more lines"));
            first
        }
    }
}
