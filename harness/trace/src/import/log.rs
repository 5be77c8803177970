//! Reads the log of `lease-script/record.sh`.
//!
//! A log is text: a head `leaselab-record 1`, then blocks, each after an empty line:
//!
//! ```text
//! call NUMBER WALL UPTIME     seconds; `-` where the router could not tell
//! arg TEXT                    each argument, argv[0] first; odd bytes as \OOO
//! env NAME TEXT               each DNSMASQ_* variable
//! out TEXT                    each line that init printed; `cut`: the last one has no line break
//! end NUMBER CODE UPTIME
//! ```
//!
//! A block that was not written to its end (memory was full, the power went) is left out and counted. A line
//! that cannot be what record.sh writes is an error, with its line and column.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a log begins with.
const HEAD: &[u8] = b"leaselab-record ";
/// The version of the log that is understood.
const VERSION: u32 = 1;
/// Longer logs are refused: record.sh keeps half a mebibyte by default.
const MAX_BYTES: u64 = 256 << 20;

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is something else.
    #[error("{path}: {message}")]
    NoLog {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A line is none that record.sh writes.
    #[error("{path}:{line}:{column}: {message}")]
    Damage {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// One call as it was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logged {
    /// The router's number of it.
    pub number: u64,
    /// `CLOCK_REALTIME` before it.
    pub wall: Option<u64>,
    /// `CLOCK_BOOTTIME` before it, in hundredths of a second.
    pub up: Option<u64>,
    /// The same after it.
    pub done: Option<u64>,
    /// Arguments.
    pub argv: Vec<Vec<u8>>,
    /// The `DNSMASQ_*` variables.
    pub env: BTreeMap<String, Vec<u8>>,
    /// What `init` printed.
    pub out: Vec<u8>,
    /// Exit code.
    pub code: u8,
    /// It was too large for the log: nothing but its times and exit code is known.
    pub large: bool,
}

/// What is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Blocks that were not written to their end.
    pub torn: usize,
    /// Calls too large for the log.
    pub large: usize,
    /// Calls whose numbers are missing: overwritten when the log was full, or written when memory was.
    pub missing: u64,
}

/// All calls of one or more logs, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The calls.
    pub calls: Vec<Logged>,
    /// What is missing.
    pub remains: Remains,
}

impl Log {
    /// Reads the files of one router, in any order.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn read(paths: &[PathBuf]) -> Result<Self, LogError> {
        let mut logs = Vec::new();
        for path in paths {
            let io = |error| LogError::Io { path: path.clone(), error };
            let size = std::fs::metadata(path).map_err(io)?.len();
            if size > MAX_BYTES {
                let message = format!("{size} bytes: no log of record.sh is that long");
                return Err(LogError::NoLog { path: path.clone(), message });
            }
            logs.push(Self::parse(path, &std::fs::read(path).map_err(io)?)?);
        }
        logs.sort_by_key(|log| log.calls.first().map(|call| (call.wall, call.number)));
        let mut whole = Self::default();
        for log in logs {
            whole.remains.torn += log.remains.torn;
            // The same file twice, or a copy of it that goes on: each call once.
            let known = |call: &Logged| whole.calls.contains(call);
            let fresh: Vec<Logged> = if whole.calls.is_empty() {
                log.calls
            } else {
                log.calls.into_iter().filter(|call| !known(call)).collect()
            };
            whole.calls.extend(fresh);
        }
        whole.remains.large = whole.calls.iter().filter(|call| call.large).count();
        whole.remains.missing = whole
            .calls
            .windows(2)
            .map(|pair| pair[1].number.saturating_sub(pair[0].number.saturating_add(1)))
            .sum();
        whole.calls.retain(|call| !call.large);
        match paths.first() {
            Some(path) if whole.calls.is_empty() => {
                let message = "there is no whole call in it".to_owned();
                Err(LogError::NoLog { path: path.clone(), message })
            }
            _ => Ok(whole),
        }
    }

    /// Reads the text of one file.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, LogError> {
        let mut parser = Parser { open: None, log: Self::default() };
        let no_log =
            |message: &str| LogError::NoLog { path: path.to_owned(), message: message.into() };
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let first = lines.iter().find(|line| !line.is_empty());
        let head = first.and_then(|line| line.strip_prefix(HEAD));
        if head.is_none() {
            return Err(no_log(
                "no log of record.sh: it would begin with `leaselab-record 1` (copy \
                 /tmp/dnsmasq-record.0 and .1 from the router)",
            ));
        }
        for (at, line) in lines.iter().enumerate() {
            match parser.line(line) {
                Ok(()) => {}
                // A write that stopped inside a line: the next block begins with an empty one.
                Err(_)
                    if !line.starts_with(HEAD)
                        && lines.get(at + 1).is_none_or(|next| next.is_empty()) =>
                {
                    parser.tear();
                    parser.log.remains.torn += usize::from(line.starts_with(b"call"));
                }
                Err(Fault { column, message }) => {
                    let (path, line) = (path.to_owned(), at + 1);
                    return Err(LogError::Damage { path, line, column: column + 1, message });
                }
            }
        }
        parser.tear();
        Ok(parser.log)
    }
}

/// What is wrong with a line, and where.
struct Fault {
    column: usize,
    message: String,
}

fn fault<T>(column: usize, message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { column, message: message.into() })
}

struct Parser {
    open: Option<Logged>,
    log: Log,
}

impl Parser {
    /// The open block has no end.
    fn tear(&mut self) {
        if self.open.take().is_some() {
            self.log.remains.torn += 1;
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
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
                self.tear();
                return version(rest, column);
            }
            b"call" => {
                self.tear();
                let [number, wall, up] = fields(rest, column)?;
                self.open = Some(Logged {
                    number: number.whole()?,
                    wall: wall.unless_dash(Field::whole)?,
                    up: up.unless_dash(Field::hundredths)?,
                    ..Logged::default()
                });
                return Ok(());
            }
            b"arg" | b"env" | b"out" | b"cut" | b"large" | b"end" => {}
            _ => return fault(0, "no line that record.sh writes"),
        }
        // What is left of a torn block.
        let Some(open) = &mut self.open else { return Ok(()) };
        match word {
            b"arg" => open.argv.push(unescape(rest, column, false)?),
            b"env" => {
                let at = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
                let (name, value) = rest.split_at(at);
                let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let Some(name) = std::str::from_utf8(name).ok().filter(|name| {
                    name.starts_with("DNSMASQ_") && name.bytes().all(|b| is_name(&b))
                }) else {
                    return fault(
                        column,
                        "a name of a variable that begins with DNSMASQ_ is expected",
                    );
                };
                let value = unescape(value.get(1..).unwrap_or(&[]), column + at + 1, false)?;
                open.env.insert(name.to_owned(), value);
            }
            b"out" => {
                open.out.extend(unescape(rest, column, true)?);
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
                open.done = done.unless_dash(Field::hundredths)?;
                if number != open.number || (open.argv.is_empty() && !open.large) {
                    self.tear();
                } else {
                    self.log.calls.extend(self.open.take());
                }
            }
        }
        Ok(())
    }
}

fn version(text: &[u8], column: usize) -> Result<(), Fault> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    match text.parse::<u32>() {
        Ok(VERSION) => Ok(()),
        Ok(newer) if newer > VERSION => fault(
            column,
            format!(
                "a log of version {newer}; this leaselab reads version {VERSION}: take a newer one"
            ),
        ),
        _ => fault(column, "the version of the log, a number, is expected"),
    }
}

/// One word of a line.
#[derive(Clone, Copy)]
struct Field<'a> {
    text: &'a [u8],
    column: usize,
}

/// Exactly so many words.
fn fields<const N: usize>(text: &[u8], column: usize) -> Result<[Field<'_>; N], Fault> {
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
    words.try_into().or_else(|_| fault(column, format!("{N} words are expected here, not {count}")))
}

impl Field<'_> {
    fn whole(self) -> Result<u64, Fault> {
        let text = std::str::from_utf8(self.text).unwrap_or_default();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(number),
            _ => fault(self.column, "a number is expected"),
        }
    }

    /// Seconds with two decimals, as /proc/uptime has them (fs/proc/uptime.c `uptime_proc_show`): fewer are what a
    /// write left that stopped inside the word.
    fn hundredths(self) -> Result<u64, Fault> {
        let dot = self.text.iter().position(|byte| *byte == b'.').unwrap_or(self.text.len());
        let (seconds, decimals) = self.text.split_at(dot);
        let seconds = Field { text: seconds, column: self.column }.whole()?;
        let Some(decimals) = decimals.strip_prefix(b".").filter(|digits| digits.len() == 2) else {
            return fault(self.column + dot, "a dot and two decimals are expected");
        };
        let decimals = Field { text: decimals, column: self.column + dot + 1 }.whole()?;
        Ok(seconds.saturating_mul(100).saturating_add(decimals))
    }

    fn unless_dash<T>(self, read: fn(Self) -> Result<T, Fault>) -> Result<Option<T>, Fault> {
        if self.text == b"-" { Ok(None) } else { read(self).map(Some) }
    }
}

/// Turns `\OOO` back into bytes. Nothing but printable ASCII stands in a log.
fn unescape(text: &[u8], column: usize, blanks: bool) -> Result<Vec<u8>, Fault> {
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
                return fault(column, "three octal digits are expected after the backslash");
            }
            (b' ', _) if !blanks => return fault(column, "a blank: record.sh writes \\040"),
            (b' '..=b'~', _) => bytes.push(byte),
            _ => return fault(column, format!("a byte that record.sh escapes: {byte:#04x}")),
        }
        rest = tail;
    }
    Ok(bytes)
}
