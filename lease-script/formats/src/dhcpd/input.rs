//! A window over a stream that tracks locations in the file.

use std::io::{self, Read};

/// The number of bytes to read at a time. It is small enough for the second-level cache.
const CHUNK: usize = 256 * 1024;

/// A location in a lease file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// The offset in bytes.
    pub offset: u64,
    /// The line, counted from 1.
    pub line: u64,
    /// The byte in the line, counted from 1.
    pub column: u64,
}

/// A stream that is read through a moving window.
///
/// The window keeps the bytes from `anchor` on, or from the position on without an anchor, so that a record can be read a
/// second time. Earlier bytes are dropped, so memory use does not depend on the size of the file.
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
    /// Index in the buffer up to which line breaks were counted.
    counted: usize,
    line: u64,
    /// Offset in the file at which the line of `counted` starts.
    line_start: u64,
    error: Option<io::Error>,
    /// The number of bytes that were read again after [`Self::rewind`].
    reread: u64,
}

impl<R: Read> Input<R> {
    /// Creates a window over `source`, whose first byte has the offset `base` in the file.
    pub(crate) fn new(source: R, base: u64) -> Self {
        Self::with_chunk(source, base, CHUNK)
    }

    /// Creates a window for a short text.
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

    /// Returns the bytes from the position to the end of the window.
    #[inline]
    pub(crate) fn window(&self) -> &[u8] {
        &self.buffer[self.position..self.end]
    }

    /// Returns whether the window contains the rest of the stream.
    pub(crate) fn is_complete(&self) -> bool {
        self.at_end
    }

    /// Moves the position forward inside the window.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.position, "the position must stay in the window");
        self.position += count;
    }

    /// Moves the position back by one byte, which is always still in the buffer.
    #[inline]
    pub(crate) fn step_back(&mut self) {
        self.position -= 1;
    }

    /// Reads one byte. Returns `None` at the end of the file.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<u8> {
        if self.position == self.end && !self.extend() {
            return None;
        }
        let byte = self.buffer[self.position];
        self.position += 1;
        Some(byte)
    }

    /// Returns the position as an offset in the file.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.position as u64
    }

    /// Keeps the bytes from the position on until [`Self::release`].
    pub(crate) fn hold(&mut self) {
        self.anchor = Some(self.position);
    }

    /// Drops the anchor set by [`Self::hold`].
    pub(crate) fn release(&mut self) {
        self.anchor = None;
    }

    /// Returns to the position at which [`Self::hold`] was called.
    pub(crate) fn rewind(&mut self) {
        if let Some(anchor) = self.anchor.take() {
            self.reread += (self.position - anchor) as u64;
            self.position = anchor;
        }
    }

    /// Continues at `offset` with another source, as if the bytes in between had been read. `lines` is the number of line
    /// breaks before `offset`.
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

    /// Extends the window. Returns false at the end of the stream.
    pub(crate) fn extend(&mut self) -> bool {
        if self.at_end {
            return false;
        }
        // One byte before the position is kept for `step_back`.
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

    /// Extends the window to `count` bytes, if the stream has as many.
    pub(crate) fn require(&mut self, count: usize) {
        while self.end - self.position < count && self.extend() {}
    }

    /// Returns the number of bytes that were read more than once.
    pub(crate) fn reread(&self) -> u64 {
        self.reread
    }

    /// Returns the error that ended the stream, if any.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Returns the location of the byte `back` bytes before the position.
    pub(crate) fn location(&mut self, back: usize) -> Location {
        let index = self.position - back;
        if index < self.counted {
            // Only tokens that are read again after a rewind lie before the counted bytes.
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

    /// Returns the number of line breaks before the position, and the offset of the start of its line.
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
