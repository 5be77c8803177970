//! Parts of a file that other threads read ahead.

use std::collections::VecDeque;
use std::io::Read as _;
use std::thread::{Scope, ScopedJoinHandle};

use super::lease::FastPath;
use super::reader::{MARGIN, read_leases};
use crate::dhcpd::declaration::{Counts, ParseRules};
use crate::dhcpd::input::Input;
use crate::dhcpd::source::Source;
use crate::dhcpd::table::LeaseTable;

/// Leases read ahead of the main reader.
pub(crate) struct Chunk {
    pub(crate) leases: LeaseTable,
    pub(crate) counts: Counts,
    pub(crate) server_duid: Option<Vec<u8>>,
    /// Where the main reader goes on.
    pub(crate) end: u64,
    /// Line ends in the part, and where the line of `end` starts.
    pub(crate) lines: u64,
    pub(crate) line_start: u64,
}

/// Parts of the file that other threads read on the guess that a lease starts there. The guess is
/// right when the main reader comes to that very place between two declarations; else it is dropped.
pub(crate) struct Prefetch<'scope> {
    parts: VecDeque<(u64, ScopedJoinHandle<'scope, Chunk>)>,
}

impl Prefetch<'_> {
    /// The part that starts at `offset`.
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

    /// Where the next part starts.
    pub(crate) fn next_start(&self) -> Option<u64> {
        self.parts.front().map(|(start, _)| *start)
    }
}

/// Files are not divided into smaller parts than this.
const SMALLEST: u64 = 2 * 1024 * 1024;

/// Starts the other threads.
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
            let mut fast = FastPath::new(&rules);
            let mut leases = LeaseTable::default();
            let counts = read_leases(&mut input, &rules, &mut fast, &mut leases, end, |_| {});
            let (lines, line_start) = input.lines();
            let end = input.offset();
            let server_duid = fast.server_duid;
            Chunk { leases, counts, server_duid, end, lines, line_start }
        });
        (start, handle)
    });
    Prefetch { parts: parts.collect() }
}

/// A place near `offset` where a declaration ends in front of a lease, by the look of it.
fn boundary<S: Source + ?Sized>(source: &S, offset: u64) -> Option<u64> {
    let mut text = Vec::new();
    source.open(offset, offset + MARGIN as u64).read_to_end(&mut text).ok()?;
    let at = memchr::memmem::find(&text, b"\n}\nlease ")?;
    Some(offset + at as u64 + 2)
}
