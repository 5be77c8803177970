//! Reads chunks of a file ahead in other threads.

use std::collections::VecDeque;
use std::io::Read as _;
use std::thread::{Scope, ScopedJoinHandle};

use super::lease::Record;
use super::reader::{MARGIN, read_leases};
use crate::dhcpd::declaration::{Counts, ParseRules};
use crate::dhcpd::input::Input;
use crate::dhcpd::source::Source;
use crate::dhcpd::table::LeaseTable;

/// The leases of a chunk.
pub(crate) struct Chunk {
    pub(crate) leases: LeaseTable,
    pub(crate) counts: Counts,
    /// The offset at which the main reader continues.
    pub(crate) end: u64,
    /// The number of line breaks in the chunk.
    pub(crate) lines: u64,
    /// The offset of the start of the line that contains `end`.
    pub(crate) line_start: u64,
}

/// Chunks that other threads read on the assumption that each starts with a lease. If the main reader arrives at the start
/// of a chunk between two declarations, the assumption was right. Otherwise the chunk is dropped.
pub(crate) struct Prefetch<'scope> {
    parts: VecDeque<(u64, ScopedJoinHandle<'scope, Chunk>)>,
}

impl Prefetch<'_> {
    /// Takes the chunk that starts at `offset`, if there is one.
    pub(crate) fn take(&mut self, offset: u64) -> Option<Chunk> {
        while self.parts.front().is_some_and(|(start, _)| *start < offset) {
            self.parts.pop_front();
        }
        if self.parts.front()?.0 != offset {
            return None;
        }
        let (_, handle) = self.parts.pop_front()?;
        handle.join().ok()
    }

    /// Returns the start of the next chunk.
    pub(crate) fn next_start(&self) -> Option<u64> {
        self.parts.front().map(|(start, _)| *start)
    }
}

/// The minimum size of a chunk in bytes.
const SMALLEST: u64 = 2 * 1024 * 1024;

/// Starts the threads that read ahead.
pub(crate) fn prefetch<'scope, 'env, S: Source + ?Sized>(
    scope: &'scope Scope<'scope, 'env>,
    source: &'env S,
    rules: &ParseRules,
    threads: usize,
) -> Prefetch<'scope> {
    let length = source.len();
    let threads = (threads as u64).min(length / SMALLEST).max(1);
    let mut starts: Vec<u64> =
        (1..threads).filter_map(|part| boundary(source, length / threads * part)).collect();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    let parts = starts.iter().copied().zip(ends);
    let parts = parts.map(|(start, end)| {
        let rules = rules.clone();
        let handle = scope.spawn(move || {
            let mut input = Input::new(source.open(start, u64::MAX), start);
            let mut record = Record::default();
            let mut leases = LeaseTable::default();
            let counts = read_leases(&mut input, &rules, &mut record, &mut leases, end, |_| {});
            let (lines, line_start) = input.lines();
            let end = input.offset();
            Chunk { leases, counts, end, lines, line_start }
        });
        (start, handle)
    });
    Prefetch { parts: parts.collect() }
}

/// Returns an offset near `offset` at which a lease appears to start after another declaration.
fn boundary<S: Source + ?Sized>(source: &S, offset: u64) -> Option<u64> {
    let mut text = Vec::new();
    source.open(offset, offset + MARGIN as u64).read_to_end(&mut text).ok()?;
    let at = memchr::memmem::find(&text, b"\n}\nlease ")?;
    Some(offset + at as u64 + 2)
}
