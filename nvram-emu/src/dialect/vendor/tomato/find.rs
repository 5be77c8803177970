//! `find`: `nvram show --nostat --nosort | sort | grep "TEXT"` in a shell.

use regex_lite::Regex;

use super::listing::{Order, lines};
use super::variables::DRIVER;
use crate::dialect::state::{Board, OutputBuffers};

/// Size of the tool's buffer for the shell command, and the size of its other parts.
const BUFFER: usize = 512;
const COMMAND: usize = "nvram show --nostat --nosort | sort | grep \"\"".len();

/// Why a text cannot be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsupported {
    /// The shell would run or substitute something.
    Shell,
    /// An option of `grep`, or a pattern with back references.
    Pattern,
}

impl Unsupported {
    fn describe(self) -> &'static str {
        match self {
            Self::Shell => "the shell of the real tool would expand the text",
            Self::Pattern => "options and back references of grep are not emulated",
        }
    }
}

/// `find_main`. The exit code is that of `grep`.
pub(super) fn run(text: &[u8], board: &mut Board, out: &mut OutputBuffers) -> u8 {
    let patterns = match patterns(text) {
        Ok(patterns) => patterns,
        Err(reason) => {
            out.err_line(&[b"nvram: cannot find '", text, b"': ", reason.describe().as_bytes()]);
            return 2;
        }
    };
    let space = board.space as usize;
    let mut found = false;
    for line in lines(&DRIVER.ram(board).table, space, Order::Sorted) {
        // Only ASCII is left.
        let ascii = String::from_utf8_lossy(&line);
        if patterns.iter().any(|pattern| pattern.is_match(&ascii)) {
            found = true;
            out.line(&[&line]);
        }
    }
    u8::from(!found)
}

/// The basic regular expressions of `grep`, one for each line of the text.
fn patterns(text: &[u8]) -> Result<Vec<Regex>, Unsupported> {
    let text = unquote(text)?;
    if text.starts_with('-') {
        return Err(Unsupported::Pattern);
    }
    let regex = |line| Regex::new(&translate(line)?).map_err(|_| Unsupported::Pattern);
    text.split('\n').map(regex).collect()
}

/// The text between double quotes as the shell expands it.
fn unquote(text: &[u8]) -> Result<String, Unsupported> {
    if text.len() + COMMAND >= BUFFER {
        return Err(Unsupported::Shell);
    }
    // A byte that is not ASCII matches nothing, since it is listed as a blank.
    let text = String::from_utf8_lossy(text);
    let mut unquoted = String::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            ('\\', Some(&next @ ('\\' | '$' | '`' | '"'))) => {
                chars.next();
                unquoted.push(next);
            }
            ('\\', None) | ('"' | '`', _) => return Err(Unsupported::Shell),
            ('$', Some(next)) if next.is_ascii_alphanumeric() || "_{(*@#?$!-".contains(*next) => {
                return Err(Unsupported::Shell);
            }
            _ => unquoted.push(char),
        }
    }
    Ok(unquoted)
}

/// Translates a basic regular expression with the extensions of GNU grep.
fn translate(basic: &str) -> Result<String, Unsupported> {
    let mut extended = String::new();
    // Whether the next character begins an expression, so that `*` is literal and `^` an anchor.
    let mut at_start = true;
    let mut rest = basic;
    while let Some(char) = rest.chars().next() {
        let tail = &rest[char.len_utf8()..];
        let mut starts = false;
        rest = tail;
        match char {
            '\\' => {
                let escaped = tail.chars().next().ok_or(Unsupported::Pattern)?;
                rest = &tail[escaped.len_utf8()..];
                match escaped {
                    '(' | '|' => {
                        extended.push(escaped);
                        starts = true;
                    }
                    ')' | '{' | '}' | '+' | '?' => extended.push(escaped),
                    '<' => extended.push_str(r"\b{start}"),
                    '>' => extended.push_str(r"\b{end}"),
                    'b' | 'B' | 'w' | 'W' | 's' | 'S' => extended.extend(['\\', escaped]),
                    '1'..='9' => return Err(Unsupported::Pattern),
                    _ => push_literal(&mut extended, escaped),
                }
            }
            '[' => {
                let end = bracket_end(tail).ok_or(Unsupported::Pattern)?;
                push_bracket(&mut extended, &tail[..end]);
                rest = &tail[end + 1..];
            }
            '*' if !at_start => extended.push('*'),
            '.' => extended.push('.'),
            '^' if at_start => {
                extended.push('^');
                starts = true;
            }
            '$' if tail.is_empty() || tail.starts_with(r"\)") || tail.starts_with(r"\|") => {
                extended.push('$');
            }
            _ => push_literal(&mut extended, char),
        }
        at_start = starts;
    }
    Ok(extended)
}

fn push_literal(extended: &mut String, char: char) {
    if char.is_ascii_punctuation() {
        extended.push('\\');
    }
    extended.push(char);
}

/// The position of the `]` that ends a bracket expression. A `]` right after `[` or `[^` is literal.
fn bracket_end(text: &str) -> Option<usize> {
    let literal = text.strip_prefix('^').map_or(0, |_| 1);
    let from = literal + usize::from(text[literal..].starts_with(']'));
    let mut at = from;
    loop {
        let end = at + text.get(at..)?.find(']')?;
        match text[at..end].find("[:") {
            // The `]` ends a class such as `[:digit:]`.
            Some(class) if text[at + class..end].ends_with(':') => at = end + 1,
            _ => return Some(end),
        }
    }
}

/// Escapes what only basic regular expressions take literally inside brackets.
fn push_bracket(extended: &mut String, inside: &str) {
    extended.push('[');
    let mut rest = inside;
    if let Some(tail) = inside.strip_prefix('^') {
        extended.push('^');
        rest = tail;
    }
    while let Some(char) = rest.chars().next() {
        if rest.starts_with("[:")
            && let Some(end) = rest.find(":]")
        {
            extended.push_str(&rest[..end + 2]);
            rest = &rest[end + 2..];
            continue;
        }
        if matches!(char, '\\' | '[' | ']' | '&' | '~' | '^') {
            extended.push('\\');
        }
        extended.push(char);
        rest = &rest[char.len_utf8()..];
    }
    extended.push(']');
}
