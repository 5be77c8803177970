//! Reads numbered lines of bounded length from untrusted files.

use std::fmt;
use std::io::{self, BufRead};

use super::database::Database;
use crate::limits;

/// The maximum length of a line. Longer lines are skipped.
pub const LONGEST_LINE: usize = 64 * 1024;

/// The UTF-8 byte order mark.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A problem in a file of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: u64,
    /// The byte in the line, counted from 1.
    pub column: usize,
    /// What is wrong, and how the server reacts.
    pub message: String,
    /// The effect on the affected record.
    pub effect: Effect,
}

/// The effect of a problem on the record that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The record was not read.
    LeftOut,
    /// The record was read, but the server loses it, or does not start.
    LostByServer,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// The maximum number of problems that are kept.
const MAX_KEPT: usize = 10_000;

/// The contents of a file.
#[derive(Debug, Default)]
pub struct Read {
    /// The leases.
    pub database: Database,
    /// The first problems found.
    pub problems: Vec<Problem>,
    /// The number of all problems.
    pub total: u64,
    /// The number of problems that prevented a record from being read.
    pub left_out: u64,
    /// Remarks about the file as a whole.
    pub notes: Vec<String>,
}

impl Read {
    /// Checks the number of leases that were read up to a line.
    pub(super) fn check_limit(&self, line: u64) -> io::Result<()> {
        limits::check_line(line)?;
        limits::check_leases(self.database.leases.len() + self.database.bindings.len(), line)
    }

    pub(super) fn add(&mut self, problem: Problem) {
        self.total += 1;
        self.left_out += u64::from(problem.effect == Effect::LeftOut);
        if self.problems.len() < MAX_KEPT {
            self.problems.push(problem);
        }
    }

    /// Keeps the last record of each address, for formats with one record for each address.
    pub(super) fn keep_last(&mut self) {
        let dropped = self.database.keep_last();
        if let Some(first) = dropped.first() {
            self.left_out += dropped.len() as u64;
            let others = match dropped.len() - 1 {
                0 => String::new(),
                others => format!(" and of {others} more addresses"),
            };
            self.notes.push(format!(
                "several different leases of {first}{others}: only the last one of each address counts"
            ));
        }
    }
}

/// The result of reading a line.
pub(super) enum Line {
    /// The number of the line, and whether it ends in a line break.
    Text(u64, bool),
    TooLong(u64),
    End,
}

/// Reads lines into a buffer of the caller.
pub(super) struct Lines<R> {
    source: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, number: 0 }
    }

    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                if !any {
                    return Ok(Line::End);
                }
                self.number += 1;
                return Ok(self.done(too_long, false));
            }
            any = true;
            let end = memchr::memchr(b'\n', available);
            let piece = &available[..end.unwrap_or(available.len())];
            if line.len() + piece.len() > LONGEST_LINE {
                too_long = true;
            } else if !too_long {
                line.extend_from_slice(piece);
            }
            let used = piece.len() + usize::from(end.is_some());
            self.source.consume(used);
            if end.is_some() {
                self.number += 1;
                return Ok(self.done(too_long, true));
            }
        }
    }

    fn done(&self, too_long: bool, ended: bool) -> Line {
        if too_long { Line::TooLong(self.number) } else { Line::Text(self.number, ended) }
    }
}
