//! Reads the log of `lease-script/record.sh`.
//!
//! A log is a text file with the header `leaselab-record 1`, followed by blocks. An empty line precedes each block:
//!
//! ```text
//! call NUMBER WALL UPTIME     seconds; `-` if the router does not know them
//! arg TEXT                    each argument, argv[0] first; unprintable bytes as \OOO
//! env NAME TEXT               each DNSMASQ_* variable
//! out TEXT                    each line of the output of init; `cut`: the last one has no line break
//! end NUMBER CODE UPTIME
//! ```
//!
//! An incomplete block, for example after a power cut, is skipped and counted. A line that record.sh cannot have
//! written is an error, which is reported with its line and column.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::archive::read_bounded;

/// The beginning of a log.
const HEADER: &[u8] = b"leaselab-record ";
/// The supported version of the format.
const VERSION: u32 = 1;
/// Maximum size of a log. By default, record.sh keeps half a mebibyte.
const MAX_BYTES: u64 = 256 << 20;

/// The errors of reading a log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        error: std::io::Error,
    },
    /// The file is not a log of record.sh, or contains no complete call.
    #[error("{path}: {message}")]
    NotALog {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The file has a line that record.sh cannot have written.
    #[error("{path}:{line}:{column}: {message}")]
    InvalidLine {
        /// The file.
        path: PathBuf,
        /// Line, starting at 1.
        line: usize,
        /// Column, starting at 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// A recorded call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedCall {
    /// The number that the router assigned to the call.
    pub number: u64,
    /// `CLOCK_REALTIME` before the call, in seconds.
    pub wall: Option<u64>,
    /// `CLOCK_BOOTTIME` before the call, in hundredths of a second.
    pub up: Option<u64>,
    /// Arguments.
    pub argv: Vec<Vec<u8>>,
    /// The `DNSMASQ_*` variables.
    pub env: BTreeMap<String, Vec<u8>>,
    /// Output of `init`.
    pub out: Vec<u8>,
    /// Exit code.
    pub code: u8,
    /// Whether the call was too large for the log. Only its times and exit code are known in that case.
    pub large: bool,
}

/// The data that is missing in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogGaps {
    /// Number of incomplete blocks.
    pub torn: usize,
    /// Number of calls that were too large for the log.
    pub large: usize,
    /// Number of calls that are missing because the log or the memory was full, inferred from gaps in the numbers of
    /// the calls.
    pub missing: u64,
}

/// The calls of one or more logs of a router, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The calls.
    pub calls: Vec<LoggedCall>,
    /// The data that is missing.
    pub gaps: LogGaps,
}

impl Log {
    /// Reads the log files of one router, which may be given in any order.
    ///
    /// # Errors
    /// If the log cannot be read or is invalid; see [`LogError`].
    pub fn read(paths: &[PathBuf]) -> Result<Self, LogError> {
        let mut logs = Vec::new();
        for path in paths {
            let io = |error| LogError::Io { path: path.clone(), error };
            let size = std::fs::metadata(path).map_err(io)?.len();
            if size > MAX_BYTES {
                let message = format!(
                    "the file has {size} bytes; a log of record.sh is not longer than {MAX_BYTES}"
                );
                return Err(LogError::NotALog { path: path.clone(), message });
            }
            logs.push(Self::parse(path, &read_bounded(path, MAX_BYTES).map_err(io)?)?);
        }
        logs.sort_by_key(|log| log.calls.first().map(|call| (call.wall, call.number)));
        let mut whole = Self::default();
        for log in logs {
            whole.gaps.torn += log.gaps.torn;
            // The same file may be given twice, or together with a later copy of itself.
            let known = |call: &LoggedCall| whole.calls.contains(call);
            let fresh: Vec<LoggedCall> = if whole.calls.is_empty() {
                log.calls
            } else {
                log.calls.into_iter().filter(|call| !known(call)).collect()
            };
            whole.calls.extend(fresh);
        }
        whole.gaps.large = whole.calls.iter().filter(|call| call.large).count();
        whole.gaps.missing = whole
            .calls
            .windows(2)
            .map(|pair| pair[1].number.saturating_sub(pair[0].number.saturating_add(1)))
            .sum();
        whole.calls.retain(|call| !call.large);
        match paths.first() {
            Some(path) if whole.calls.is_empty() => {
                let message = "the log contains no complete call".to_owned();
                Err(LogError::NotALog { path: path.clone(), message })
            }
            _ => Ok(whole),
        }
    }

    /// Reads the text of one file.
    ///
    /// # Errors
    /// If the log cannot be read or is invalid; see [`LogError`].
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, LogError> {
        let mut parser = Parser { open: None, log: Self::default() };
        let no_log =
            |message: &str| LogError::NotALog { path: path.to_owned(), message: message.into() };
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let first = lines.iter().find(|line| !line.is_empty());
        let head = first.and_then(|line| line.strip_prefix(HEADER));
        if head.is_none() {
            return Err(no_log(
                "not a log of record.sh: expected `leaselab-record 1` at the beginning (copy \
                 /tmp/dnsmasq-record/log.0 and log.1 from the router)",
            ));
        }
        for (at, line) in lines.iter().enumerate() {
            match parser.line(line) {
                Ok(()) => {}
                // If a write was interrupted inside a line, the next line is the empty line before the next block.
                Err(_)
                    if !line.starts_with(HEADER)
                        && lines.get(at + 1).is_none_or(|next| next.is_empty()) =>
                {
                    parser.discard_open();
                    parser.log.gaps.torn += usize::from(line.starts_with(b"call"));
                }
                Err(LineError { column, message }) => {
                    let (path, line) = (path.to_owned(), at + 1);
                    return Err(LogError::InvalidLine { path, line, column: column + 1, message });
                }
            }
        }
        parser.discard_open();
        Ok(parser.log)
    }
}

/// The error in an invalid line. The column starts at 0.
struct LineError {
    column: usize,
    message: String,
}

fn line_error<T>(column: usize, message: impl Into<String>) -> Result<T, LineError> {
    Err(LineError { column, message: message.into() })
}

struct Parser {
    open: Option<LoggedCall>,
    log: Log,
}

impl Parser {
    /// Discards the open block, if there is one, and counts it as incomplete.
    fn discard_open(&mut self) {
        if self.open.take().is_some() {
            self.log.gaps.torn += 1;
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), LineError> {
        if line.is_empty() {
            return Ok(());
        }
        let (word, rest) = match line.iter().position(|byte| *byte == b' ') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        let column = line.len() - rest.len();
        match word {
            b"leaselab-record" => {
                self.discard_open();
                return version(rest, column);
            }
            b"call" => {
                self.discard_open();
                let [number, wall, up] = fields(rest, column)?;
                self.open = Some(LoggedCall {
                    number: number.whole()?,
                    wall: wall.unless_dash(Field::whole)?,
                    up: up.unless_dash(Field::hundredths)?,
                    ..LoggedCall::default()
                });
                return Ok(());
            }
            b"arg" | b"env" | b"out" | b"cut" | b"large" | b"end" => {}
            _ => {
                return line_error(
                    0,
                    "expected a line that record.sh writes: call, arg, env, out, cut, large or end",
                );
            }
        }
        // Without an open block, the line belongs to an incomplete block.
        let Some(open) = &mut self.open else { return Ok(()) };
        match word {
            b"arg" => open.argv.push(unescape(rest, column, Spaces::Escaped)?),
            b"env" => {
                let at = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
                let (name, value) = rest.split_at(at);
                let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let Some(name) = std::str::from_utf8(name).ok().filter(|name| {
                    name.starts_with("DNSMASQ_") && name.bytes().all(|b| is_name(&b))
                }) else {
                    return line_error(
                        column,
                        "expected the name of a variable that begins with DNSMASQ_",
                    );
                };
                let value =
                    unescape(value.get(1..).unwrap_or(&[]), column + at + 1, Spaces::Escaped)?;
                open.env.insert(name.to_owned(), value);
            }
            b"out" => {
                open.out.extend(unescape(rest, column, Spaces::Literal)?);
                open.out.push(b'\n');
            }
            b"cut" => {
                open.out.pop();
            }
            b"large" => open.large = true,
            _ => {
                let [number, code, done] = fields(rest, column)?;
                let (number, code) = (number.whole()?, code.whole()?);
                open.code = u8::try_from(code).unwrap_or(u8::MAX);
                done.unless_dash(Field::hundredths)?;
                if number != open.number || (open.argv.is_empty() && !open.large) {
                    self.discard_open();
                } else {
                    self.log.calls.extend(self.open.take());
                }
            }
        }
        Ok(())
    }
}

fn version(text: &[u8], column: usize) -> Result<(), LineError> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    match text.parse::<u32>() {
        Ok(VERSION) => Ok(()),
        Ok(newer) if newer > VERSION => line_error(
            column,
            format!(
                "a log of version {newer}, but this leaselab reads version {VERSION}: use a newer leaselab"
            ),
        ),
        _ => line_error(column, "expected the version of the log, a number"),
    }
}

/// A field of a line.
#[derive(Clone, Copy)]
struct Field<'a> {
    text: &'a [u8],
    column: usize,
}

/// Splits a line into exactly `N` fields.
fn fields<const N: usize>(text: &[u8], column: usize) -> Result<[Field<'_>; N], LineError> {
    let mut at = column;
    let words: Vec<Field<'_>> = text
        .split(|byte| *byte == b' ')
        .map(|text| {
            let field = Field { text, column: at };
            at += text.len() + 1;
            field
        })
        .collect();
    let count = words.len();
    words.try_into().or_else(|_| line_error(column, format!("expected {N} fields, found {count}")))
}

impl Field<'_> {
    fn whole(self) -> Result<u64, LineError> {
        let text = std::str::from_utf8(self.text).unwrap_or_default();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(number),
            _ => line_error(self.column, "expected a number"),
        }
    }

    /// Parses seconds with two decimals, as in /proc/uptime (`uptime_proc_show` of fs/proc/uptime.c), as hundredths of
    /// a second. There are fewer decimals if the write was interrupted inside the field.
    fn hundredths(self) -> Result<u64, LineError> {
        let dot = self.text.iter().position(|byte| *byte == b'.').unwrap_or(self.text.len());
        let (seconds, decimals) = self.text.split_at(dot);
        let seconds = Field { text: seconds, column: self.column }.whole()?;
        let Some(decimals) = decimals.strip_prefix(b".").filter(|digits| digits.len() == 2) else {
            return line_error(self.column + dot, "expected a dot and two decimals");
        };
        let decimals = Field { text: decimals, column: self.column + dot + 1 }.whole()?;
        Ok(seconds.saturating_mul(100).saturating_add(decimals))
    }

    fn unless_dash<T>(
        self,
        read: fn(Self) -> Result<T, LineError>,
    ) -> Result<Option<T>, LineError> {
        if self.text == b"-" { Ok(None) } else { read(self).map(Some) }
    }
}

/// How a text of the log represents spaces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spaces {
    Literal,
    Escaped,
}

/// Decodes `\OOO`. A log contains only printable ASCII characters.
fn unescape(text: &[u8], column: usize, spaces: Spaces) -> Result<Vec<u8>, LineError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let column = column + text.len() - rest.len();
        match (byte, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
                continue;
            }
            (b'\\', _) => {
                return line_error(column, "expected three octal digits after the backslash");
            }
            (b' ', _) if spaces == Spaces::Escaped => {
                return line_error(column, "unexpected space: record.sh writes it as \\040");
            }
            (b' '..=b'~', _) => bytes.push(byte),
            _ => {
                return line_error(
                    column,
                    format!("unexpected byte {byte:#04x}: record.sh escapes it"),
                );
            }
        }
        rest = tail;
    }
    Ok(bytes)
}
