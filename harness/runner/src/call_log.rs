//! Script calls as lines of text.

use super::escapes::cut_off;
use super::evidence::CallRecord;
use super::tally::{call_text, end_text};
use backend::NvramCommand;

/// Maximum number of lines of stderr.
const MAX_STDERR_LINES: usize = 20;

/// Maximum length of a line of stderr in bytes.
const MAX_STDERR_LINE: usize = 1000;

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

/// The lines of what a script wrote to stderr, without control characters. Long lines and further ones are cut off.
pub fn stderr_lines(stderr: &[u8]) -> Vec<String> {
    let mut lines =
        stderr.trim_ascii_end().split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut shown: Vec<String> = lines.by_ref().take(MAX_STDERR_LINES).map(shown_line).collect();
    match lines.count() {
        0 => {}
        more => shown.push(format!("… and {more} more lines")),
    }
    shown
}

fn shown_line(line: &[u8]) -> String {
    let (first, more) = cut_off(line, MAX_STDERR_LINE);
    format!("{}{more}", first.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_and_further_lines_of_stderr_are_cut_off() {
        let lines = stderr_lines(&vec![0; 4 << 20]);
        assert_eq!(lines, ["\\x00".repeat(1000) + " … and 4193304 more bytes"]);
        let lines = stderr_lines(&b"a line\n\n".repeat(30));
        assert_eq!(lines.len(), MAX_STDERR_LINES + 1);
        assert_eq!(lines[MAX_STDERR_LINES], "… and 10 more lines");
        assert_eq!(stderr_lines(b"a\nb"), ["a", "b"]);
    }
}
