//! Output on the console that neither panics nor ends the process when it cannot be written.
//!
//! A reader that closes the pipe early, such as `head`, is not an error. Any other failure, such as a full disk, ends
//! `leaselab` with the exit code for the environment, but only after the work is done.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use crate::error::CommandError;

/// Width of a console whose actual width is unknown.
const DEFAULT_WIDTH: usize = 80;

/// The first failure to write to stdout; nothing is written after it.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Prints to stdout, like `print!`.
macro_rules! out {
    ($($argument:tt)*) => { $crate::console::write_stdout(format_args!($($argument)*)) };
}

/// Prints a line to stdout, like `println!`.
macro_rules! outln {
    () => { $crate::console::write_stdout(format_args!("\n")) };
    ($($argument:tt)*) => {
        $crate::console::write_stdout(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// Prints to stderr, like `eprint!`.
macro_rules! err {
    ($($argument:tt)*) => { $crate::console::write_stderr(format_args!($($argument)*)) };
}

/// Prints a line to stderr, like `eprintln!`.
macro_rules! errln {
    ($($argument:tt)*) => {
        $crate::console::write_stderr(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// Writes to stdout, unless it has failed before.
pub(crate) fn write_stdout(text: fmt::Arguments<'_>) {
    scratch::interrupt::stop_if_interrupted();
    if FAILURE.get().is_none() {
        keep(anstream::stdout().lock().write_all(escape(&text.to_string()).as_bytes()));
    }
}

/// Writes a command to GitHub Actions to stdout, as a line.
pub(crate) fn write_workflow_command(line: &str) {
    if FAILURE.get().is_none() {
        let line = format!("{}\n", escape_controls(line));
        keep(anstream::stdout().lock().write_all(line.as_bytes()));
    }
}

/// Writes to stderr. A failure cannot be reported anywhere, so it is ignored.
pub(crate) fn write_stderr(text: fmt::Arguments<'_>) {
    scratch::interrupt::stop_if_interrupted();
    _ = anstream::stderr().lock().write_all(escape(&text.to_string()).as_bytes());
}

fn escape(text: &str) -> String {
    escape_workflow_commands(&escape_controls(text))
}

/// Escapes what GitHub Actions takes for a command: a line that begins with `::NAME`, after blanks, and `##[NAME` anywhere
/// (`ActionCommand.TryParseV2` and `TryParse` of its runner).
fn escape_workflow_commands(text: &str) -> String {
    let text = text.replace("##[", "#\\u{23}[");
    let escape = |line: &str| {
        let mut start = line.trim_start();
        // Colours are removed where the console shows none.
        while let Some(length) = length_of_style(start) {
            start = start[length..].trim_start();
        }
        let is_command = start.strip_prefix("::").is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_ascii_alphabetic()) && rest.contains("::")
        });
        if is_command { line.replacen("::", "\\u{3a}:", 1) } else { line.to_owned() }
    };
    text.split('\n').map(escape).collect::<Vec<String>>().join("\n")
}

/// Escapes text that a terminal could execute as commands or show as something else. Names of files, ids and values of
/// parameters can contain any character. Line breaks, tabs and the sequences for colours that leaselab uses are kept.
fn escape_controls(text: &str) -> Cow<'_, str> {
    let is_harmless =
        |character: char| matches!(character, '\n' | '\t') || lab_report::is_printable(character);
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = match length_of_style(rest) {
            Some(length) => {
                escaped.push_str(&rest[..length]);
                length
            }
            None if is_harmless(character) => {
                escaped.push(character);
                character.len_utf8()
            }
            None => {
                escaped.extend(character.escape_default());
                character.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Cow::Owned(escaped)
}

/// The length of the sequence for a colour or a style (SGR in ECMA-48) at the beginning of a text. leaselab writes no
/// text that is hidden, blinks or has another background.
fn length_of_style(text: &str) -> Option<usize> {
    let (parameters, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let is_own = |parameter: &str| {
        let is_number = parameter.bytes().all(|byte| byte.is_ascii_digit());
        let colour = |number| matches!(number, 0..=4 | 22..=24 | 30..=37 | 39 | 90..=97);
        is_number && (parameter.is_empty() || parameter.parse::<u8>().is_ok_and(colour))
    };
    let is_style = parameters.split(';').all(is_own);
    is_style.then_some("\u{1b}[".len() + parameters.len() + 1)
}

fn keep(result: io::Result<()>) {
    if let Err(error) = result {
        _ = FAILURE.set(error);
    }
}

/// Width of the console in characters: that of the terminal, or of the variable `COLUMNS` if stdout is not a terminal.
pub(crate) fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    let columns = || std::env::var("COLUMNS").ok()?.parse::<u16>().ok();
    terminal
        .map(|(width, _)| width.0)
        .or_else(columns)
        .filter(|width| *width > 0)
        .map_or(DEFAULT_WIDTH, usize::from)
}

/// Flushes stdout.
///
/// # Errors
/// The first failure to write to stdout, unless its reader had closed it.
pub(crate) fn finish() -> Result<(), CommandError> {
    keep(io::stdout().flush());
    match FAILURE.get() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::Environment(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("::error::forged\n", "\\u{3a}:error::forged\n")]
    #[case("a\n \t::add-mask::x", "a\n \t\\u{3a}:add-mask::x")]
    #[case("\u{1b}[1m \u{1b}[0m::error::x", "\u{1b}[1m \u{1b}[0m\\u{3a}:error::x")]
    #[case("a ##[error]b", "a #\\u{23}[error]b")]
    #[case("::1 and ::a1 and a::b::c\n", "::1 and ::a1 and a::b::c\n")]
    fn text_is_no_command_to_a_forge(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(escape_workflow_commands(text), expected);
    }

    #[rstest]
    #[case("plain\ttext, `Müller`\n", "plain\ttext, `Müller`\n")]
    #[case("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m")]
    #[case("\u{1b}[2Jcleared", "\\u{1b}[2Jcleared")]
    #[case("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}")]
    #[case("a\rb\u{8}c\0d\u{9b}31me", "a\\rb\\u{8}c\\u{0}d\\u{9b}31me")]
    #[case("\u{1b}[31", "\\u{1b}[31")]
    #[case("\u{1b}[8mhidden\u{1b}[1;7m", "\\u{1b}[8mhidden\\u{1b}[1;7m")]
    #[case("a\u{202e}b\u{fffe}", "a\\u{202e}b\\u{fffe}")]
    fn commands_to_the_terminal_are_escaped(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(escape_controls(text), expected);
    }
}
