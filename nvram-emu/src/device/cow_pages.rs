//! The cells of a partition, in pages: clones share them until one writes, and what is erased takes no room.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::fingerprint;

/// Bytes of a page: what a torn write copies at most. No chip's page.
pub(super) const PAGE: usize = fingerprint::WORDS * fingerprint::WORD;

/// A page that is not erased. Behind the partition's end its bytes are 0xFF.
#[derive(Clone, Debug)]
struct Page {
    bytes: [u8; PAGE],
    /// High and low half: a number of 128 bits would have the page lie at a multiple of 16.
    fingerprint: OnceLock<(u64, u64)>,
}

impl Page {
    fn erased() -> Self {
        Self { bytes: [0xFF; PAGE], fingerprint: OnceLock::new() }
    }

    fn fingerprint(&self) -> u128 {
        joined(
            *self.fingerprint.get_or_init(|| halves(fingerprint::of_words(&self.bytes, 0, PAGE))),
        )
    }
}

fn halves(sum: u128) -> (u64, u64) {
    ((sum >> 64) as u64, sum as u64)
}

fn joined((high, low): (u64, u64)) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// What a partition holds.
#[derive(Clone, Debug)]
pub(super) struct CowPages {
    size: usize,
    /// No page: it is erased.
    pages: Arc<Vec<Option<Arc<Page>>>>,
}

impl CowPages {
    pub(super) fn erased(size: u32) -> Self {
        let size = size as usize;
        Self { size, pages: Arc::new(vec![None; size.div_ceil(PAGE)]) }
    }

    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut cells = Self::erased(bytes.len() as u32);
        cells.put(0, bytes);
        cells
    }

    /// All bytes; borrowed where there is one page.
    pub(super) fn bytes(&self) -> Cow<'_, [u8]> {
        if let [Some(only)] = &self.pages[..] {
            return Cow::Borrowed(&only.bytes[..self.size]);
        }
        Cow::Owned(self.part(0, self.size))
    }

    /// The bytes `from..to`.
    pub(super) fn part(&self, from: usize, to: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(to - from);
        for (page, range, _) in Self::parts(from, to) {
            match &self.pages[page] {
                Some(page) => bytes.extend_from_slice(&page.bytes[range]),
                None => bytes.resize(bytes.len() + range.len(), 0xFF),
            }
        }
        bytes
    }

    /// The pages that `from..to` touches: page, the range in it, and where that begins in the whole.
    fn parts(from: usize, to: usize) -> impl Iterator<Item = (usize, Range<usize>, usize)> {
        (from / PAGE..to.div_ceil(PAGE)).map(move |page| {
            let start = page * PAGE;
            let range = from.max(start) - start..to.min(start + PAGE) - start;
            let place = start + range.start - from;
            (page, range, place)
        })
    }

    pub(super) fn read(&self, at: usize, into: &mut [u8]) {
        for (page, range, place) in Self::parts(at, at + into.len()) {
            let into = &mut into[place..place + range.len()];
            match &self.pages[page] {
                Some(page) => into.copy_from_slice(&page.bytes[range]),
                None => into.fill(0xFF),
            }
        }
    }

    /// Whether each part of `bytes`, which would lie at `at`, is there.
    pub(super) fn holds(&self, at: usize, bytes: &[u8]) -> bool {
        Self::parts(at, at + bytes.len()).all(|(page, range, place)| {
            let bytes = &bytes[place..place + range.len()];
            match &self.pages[page] {
                Some(page) => &page.bytes[range] == bytes,
                None => bytes.iter().all(|byte| *byte == 0xFF),
            }
        })
    }

    pub(super) fn is_erased(&self, from: usize, to: usize) -> bool {
        Self::parts(from, to).all(|(page, range, _)| match &self.pages[page] {
            Some(page) => page.bytes[range].iter().all(|byte| *byte == 0xFF),
            None => true,
        })
    }

    pub(super) fn erase(&mut self, from: usize, to: usize) {
        for (page, range, _) in Self::parts(from, to) {
            if range.len() == PAGE || page * PAGE + range.end == self.size && range.start == 0 {
                Arc::make_mut(&mut self.pages)[page] = None;
            } else if self.pages[page].is_some() {
                self.change(page, range, |cells| cells.fill(0xFF));
            }
        }
    }

    /// Clears the bits that are 0 in `bytes`.
    pub(super) fn program(&mut self, at: usize, bytes: &[u8]) {
        for (page, range, place) in Self::parts(at, at + bytes.len()) {
            let bytes = &bytes[place..place + range.len()];
            self.change(page, range, |cells| {
                for (cell, byte) in cells.iter_mut().zip(bytes) {
                    *cell &= byte;
                }
            });
        }
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        for (page, range, place) in Self::parts(at, at + bytes.len()) {
            let bytes = &bytes[place..place + range.len()];
            self.change(page, range, |cells| cells.copy_from_slice(bytes));
        }
    }

    /// Takes over what `other` holds from `from` to `to`.
    pub(super) fn copy(&mut self, other: &Self, from: usize, to: usize) {
        for (page, range, _) in Self::parts(from, to) {
            match &other.pages[page] {
                theirs if range.len() == PAGE => {
                    Arc::make_mut(&mut self.pages)[page].clone_from(theirs);
                }
                Some(theirs) => {
                    let bytes = &theirs.bytes[range.clone()];
                    self.change(page, range, |cells| cells.copy_from_slice(bytes));
                }
                None if self.pages[page].is_none() => {}
                None => self.change(page, range, |cells| cells.fill(0xFF)),
            }
        }
    }

    /// Changes a part of a page; its sum follows where the part is small.
    fn change(&mut self, page: usize, range: Range<usize>, change: impl FnOnce(&mut [u8])) {
        let slot = &mut Arc::make_mut(&mut self.pages)[page];
        let page = Arc::make_mut(slot.get_or_insert_with(|| Arc::new(Page::erased())));
        let sum = page.fingerprint.take().filter(|_| range.len() < PAGE / 2);
        let term = |bytes: &[u8]| fingerprint::of_words(bytes, range.start, range.end);
        let rest = sum.map(|sum| joined(sum).wrapping_sub(term(&page.bytes)));
        change(&mut page.bytes[range.clone()]);
        if let Some(rest) = rest {
            page.fingerprint = OnceLock::from(halves(rest.wrapping_add(term(&page.bytes))));
        }
    }

    /// A fingerprint of the bytes. Pages remember theirs.
    pub(super) fn fingerprint(&self) -> u128 {
        static ERASED: OnceLock<u128> = OnceLock::new();
        let erased = || *ERASED.get_or_init(|| Page::erased().fingerprint());
        self.pages.iter().enumerate().fold(0, |total: u128, (number, page)| {
            let sum = page.as_ref().map_or_else(erased, |page| page.fingerprint());
            total.wrapping_add(fingerprint::page_weight(number).wrapping_mul(sum))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which pages of two are one and the same.
    fn shared(a: &CowPages, b: &CowPages) -> Vec<bool> {
        let same = |pair| match pair {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        a.pages
            .iter()
            .map(Option::as_ref)
            .zip(b.pages.iter().map(Option::as_ref))
            .map(same)
            .collect()
    }

    #[test]
    fn a_clone_shares_the_pages_that_do_not_change() {
        let mut original = CowPages::of(&[7; 4 * PAGE - 100]);
        let snapshot = original.clone();
        original.program(PAGE + 3, &[0]);
        assert_eq!(shared(&original, &snapshot), [true, false, true, true]);
        original.copy(&snapshot, PAGE, PAGE + 5);
        assert_eq!(original.bytes(), snapshot.bytes());
        original.erase(2 * PAGE, 4 * PAGE - 100);
        assert_eq!(shared(&original, &snapshot), [true, false, false, false]);
        original.copy(&snapshot, 0, 3 * PAGE);
        assert_eq!(shared(&original, &snapshot), [true, true, true, false]);
    }

    #[test]
    fn a_sum_depends_on_the_bytes_alone() {
        let mut bytes = vec![0xFF; 3 * PAGE - 10];
        let mut cells = CowPages::erased(bytes.len() as u32);
        let mut seen = std::collections::HashMap::new();
        for step in 1..200_usize {
            let (from, len) = (step * 977 % bytes.len(), step * step % 600);
            let to = (from + len).min(bytes.len());
            match step % 3 {
                0 => {
                    bytes[from..to].fill(0xFF);
                    cells.erase(from, to);
                }
                1 => {
                    bytes[from..to].fill(step as u8);
                    cells.put(from, &vec![step as u8; to - from]);
                }
                _ => {
                    bytes[from..to].iter_mut().for_each(|byte| *byte &= step as u8);
                    cells.program(from, &vec![step as u8; to - from]);
                }
            }
            assert_eq!(*cells.bytes(), bytes);
            assert_eq!(
                cells.fingerprint(),
                CowPages::of(&bytes).fingerprint(),
                "after step {step}"
            );
            assert!(cells.holds(from, &bytes[from..to]));
            let other = seen.insert(cells.fingerprint(), bytes.clone());
            assert!(other.is_none_or(|other| other == bytes), "other bytes, another sum");
        }
    }
}
