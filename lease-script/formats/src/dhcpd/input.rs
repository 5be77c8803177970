//! A window over a stream: the bytes being read, and where in the file they stand.

use std::io::{self, Read};

/// Bytes asked for at a time; small enough to stay in the second-level cache.
const CHUNK: usize = 256 * 1024;

/// A place in a lease file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Line, counted from 1.
    pub line: u64,
    /// Byte in the line, counted from 1.
    pub column: u64,
}

/// A stream seen through a window that moves forward.
///
/// Bytes from `anchor` (or else from the position) on stay in the window, so that a record can be
/// read a second time; everything before is forgotten, which keeps memory independent of the file.
#[derive(Debug)]
pub(crate) struct Input<R> {
    source: R,
    chunk: usize,
    buffer: Vec<u8>,
    position: usize,
    end: usize,
    /// Offset in the file of the first byte of the buffer.
    base: u64,
    at_end: bool,
    anchor: Option<usize>,
    /// Index in the buffer up to which line ends were counted.
    counted: usize,
    line: u64,
    /// Offset in the file at which the line of `counted` starts.
    line_start: u64,
    error: Option<io::Error>,
    /// Bytes that [`Self::rewind`] gave back.
    reread: u64,
}

impl<R: Read> Input<R> {
    /// A window at the start of `source`, whose first byte stands at `base` in the file.
    pub(crate) fn new(source: R, base: u64) -> Self {
        Self::with_chunk(source, base, CHUNK)
    }

    /// A window for a few bytes.
    pub(crate) fn small(source: R) -> Self {
        Self::with_chunk(source, 0, 512)
    }

    fn with_chunk(source: R, base: u64, chunk: usize) -> Self {
        Self {
            source,
            chunk,
            buffer: vec![0; chunk],
            position: 0,
            end: 0,
            base,
            at_end: false,
            anchor: None,
            counted: 0,
            line: 1,
            line_start: base,
            error: None,
            reread: 0,
        }
    }

    /// The bytes read ahead.
    #[inline]
    pub(crate) fn window(&self) -> &[u8] {
        &self.buffer[self.position..self.end]
    }

    /// True when the window holds all that is left.
    pub(crate) fn is_complete(&self) -> bool {
        self.at_end
    }

    /// Goes `count` bytes forward inside the window.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.position, "never beyond the window");
        self.position += count;
    }

    /// One byte back: the byte last taken is always still there.
    #[inline]
    pub(crate) fn step_back(&mut self) {
        self.position -= 1;
    }

    /// Takes one byte; `None` at the end of the file.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<u8> {
        if self.position == self.end && !self.extend() {
            return None;
        }
        let byte = self.buffer[self.position];
        self.position += 1;
        Some(byte)
    }

    /// The position as an offset in the file.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.position as u64
    }

    /// Keeps everything from here on until [`Self::release`].
    pub(crate) fn hold(&mut self) {
        self.anchor = Some(self.position);
    }

    /// Lets go of what [`Self::hold`] kept.
    pub(crate) fn release(&mut self) {
        self.anchor = None;
    }

    /// Back to where [`Self::hold`] was called.
    pub(crate) fn rewind(&mut self) {
        if let Some(anchor) = self.anchor.take() {
            self.reread += (self.position - anchor) as u64;
            self.position = anchor;
        }
    }

    /// Continues at `offset` with another source, as if everything between had been read;
    /// `lines` line ends stand before `offset`.
    pub(crate) fn jump(&mut self, source: R, offset: u64, lines: u64, line_start: u64) {
        self.source = source;
        self.position = 0;
        self.end = 0;
        self.counted = 0;
        self.base = offset;
        self.at_end = false;
        self.anchor = None;
        self.line = lines + 1;
        self.line_start = line_start;
    }

    /// Reads more bytes behind the window. False when there are none.
    pub(crate) fn extend(&mut self) -> bool {
        if self.at_end {
            return false;
        }
        // One byte before the position stays for `step_back`.
        let keep = self.anchor.map_or(self.position, |a| a.min(self.position)).saturating_sub(1);
        if keep > 0 {
            self.count_to(keep.max(self.counted));
            self.buffer.copy_within(keep..self.end, 0);
            self.base += keep as u64;
            self.position -= keep;
            self.end -= keep;
            self.counted -= keep;
            self.anchor = self.anchor.map(|anchor| anchor - keep);
        }
        if self.buffer.len() - self.end < self.chunk / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    return false;
                }
                Ok(count) => {
                    self.end += count;
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    self.at_end = true;
                    return false;
                }
            }
        }
    }

    /// Reads until the window holds `count` bytes or all that is left.
    pub(crate) fn require(&mut self, count: usize) {
        while self.end - self.position < count && self.extend() {}
    }

    /// The number of bytes that were read more than once.
    pub(crate) fn reread(&self) -> u64 {
        self.reread
    }

    /// Why the stream broke off, if it did.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Where the byte `back` bytes before the position stands.
    pub(crate) fn location(&mut self, back: usize) -> Location {
        let index = self.position - back;
        if index < self.counted {
            // Only tokens read again after a rewind stand before what was counted.
            let ahead = &self.buffer[index..self.counted];
            let lines = memchr::memchr_iter(b'\n', ahead).count() as u64;
            let start = memchr::memrchr(b'\n', &self.buffer[..index])
                .map_or(self.base.min(self.line_start), |at| self.base + at as u64 + 1);
            let offset = self.base + index as u64;
            return Location {
                offset,
                line: self.line - lines,
                column: offset.saturating_sub(start) + 1,
            };
        }
        self.count_to(index);
        let offset = self.base + index as u64;
        Location { offset, line: self.line, column: offset - self.line_start + 1 }
    }

    /// The number of line ends before the position, and where its line starts.
    pub(crate) fn lines(&mut self) -> (u64, u64) {
        self.count_to(self.position.max(self.counted));
        (self.line - 1, self.line_start)
    }

    fn count_to(&mut self, index: usize) {
        let fresh = &self.buffer[self.counted..index];
        if let Some(last) = memchr::memrchr(b'\n', fresh) {
            self.line += memchr::memchr_iter(b'\n', &fresh[..=last]).count() as u64;
            self.line_start = self.base + (self.counted + last) as u64 + 1;
        }
        self.counted = index;
    }
}
