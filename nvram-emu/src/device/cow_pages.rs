//! The contents of a partition in copy-on-write pages.
//!
//! Clones share pages until one of them writes, and erased pages take no memory.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::xxh3_128;

/// Size in bytes of a copy-on-write page. It is unrelated to the page size of a chip.
pub(super) const PAGE: usize = 2048;

/// A page that is not erased. Bytes beyond the end of the partition are 0xFF.
#[derive(Clone, Debug)]
struct Page {
    bytes: [u8; PAGE],
    fingerprint: OnceLock<u128>,
}

impl Page {
    fn erased() -> Self {
        Self { bytes: [0xFF; PAGE], fingerprint: OnceLock::new() }
    }

    fn fingerprint(&self) -> u128 {
        *self.fingerprint.get_or_init(|| xxh3_128(&self.bytes))
    }
}

/// The contents of a partition.
#[derive(Clone, Debug)]
pub(super) struct CowPages {
    size: usize,
    /// `None` is an erased page.
    pages: Arc<Vec<Option<Arc<Page>>>>,
}

impl CowPages {
    pub(super) fn erased(size: u32) -> Self {
        let size = size as usize;
        Self { size, pages: Arc::new(vec![None; size.div_ceil(PAGE)]) }
    }

    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut pages = Self::erased(bytes.len() as u32);
        pages.put(0, bytes);
        pages
    }

    /// The whole contents, borrowed if there is only one page.
    pub(super) fn bytes(&self) -> Cow<'_, [u8]> {
        if let [Some(only)] = &self.pages[..] {
            return Cow::Borrowed(&only.bytes[..self.size]);
        }
        Cow::Owned(self.range(0, self.size))
    }

    /// The bytes `from..to`.
    pub(super) fn range(&self, from: usize, to: usize) -> Vec<u8> {
        let mut bytes = vec![0xFF; to - from];
        for (page, range, at) in Self::split_at_pages(from, to) {
            if let Some(page) = &self.pages[page] {
                bytes[at..at + range.len()].copy_from_slice(&page.bytes[range]);
            }
        }
        bytes
    }

    /// Splits `from..to` at page boundaries: page number, range in the page, and offset of that range from `from`.
    fn split_at_pages(
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (usize, Range<usize>, usize)> {
        (from / PAGE..to.div_ceil(PAGE)).map(move |page| {
            let start = page * PAGE;
            let range = from.max(start) - start..to.min(start + PAGE) - start;
            let offset = start + range.start - from;
            (page, range, offset)
        })
    }

    pub(super) fn read(&self, at: usize, into: &mut [u8]) {
        for (page, range, offset) in Self::split_at_pages(at, at + into.len()) {
            let into = &mut into[offset..offset + range.len()];
            match &self.pages[page] {
                Some(page) => into.copy_from_slice(&page.bytes[range]),
                None => into.fill(0xFF),
            }
        }
    }

    /// Whether the contents at `at` equal `bytes`.
    pub(super) fn holds(&self, at: usize, bytes: &[u8]) -> bool {
        Self::split_at_pages(at, at + bytes.len()).all(|(page, range, offset)| {
            let bytes = &bytes[offset..offset + range.len()];
            match &self.pages[page] {
                Some(page) => &page.bytes[range] == bytes,
                None => bytes.iter().all(|byte| *byte == 0xFF),
            }
        })
    }

    pub(super) fn is_erased(&self, from: usize, to: usize) -> bool {
        Self::split_at_pages(from, to).all(|(page, range, _)| match &self.pages[page] {
            Some(page) => page.bytes[range].iter().all(|byte| *byte == 0xFF),
            None => true,
        })
    }

    pub(super) fn erase(&mut self, from: usize, to: usize) {
        for (page, range, _) in Self::split_at_pages(from, to) {
            if range.len() == PAGE || page * PAGE + range.end == self.size && range.start == 0 {
                Arc::make_mut(&mut self.pages)[page] = None;
            } else if self.pages[page].is_some() {
                self.change(page, range, |old| old.fill(0xFF));
            }
        }
    }

    /// Clears the bits that are 0 in `bytes`, as flash memory does.
    pub(super) fn program(&mut self, at: usize, bytes: &[u8]) {
        for (page, range, offset) in Self::split_at_pages(at, at + bytes.len()) {
            let bytes = &bytes[offset..offset + range.len()];
            self.change(page, range, |old| {
                for (cell, byte) in old.iter_mut().zip(bytes) {
                    *cell &= byte;
                }
            });
        }
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        for (page, range, offset) in Self::split_at_pages(at, at + bytes.len()) {
            let bytes = &bytes[offset..offset + range.len()];
            self.change(page, range, |old| old.copy_from_slice(bytes));
        }
    }

    /// Copies the bytes `from..to` of `other`. Whole pages are shared.
    pub(super) fn copy(&mut self, other: &Self, from: usize, to: usize) {
        for (page, range, _) in Self::split_at_pages(from, to) {
            match &other.pages[page] {
                theirs if range.len() == PAGE => {
                    Arc::make_mut(&mut self.pages)[page].clone_from(theirs);
                }
                Some(theirs) => {
                    let bytes = &theirs.bytes[range.clone()];
                    self.change(page, range, |old| old.copy_from_slice(bytes));
                }
                None if self.pages[page].is_none() => {}
                None => self.change(page, range, |old| old.fill(0xFF)),
            }
        }
    }

    /// Changes a range of a page, and drops its fingerprint.
    fn change(&mut self, page: usize, range: Range<usize>, change: impl FnOnce(&mut [u8])) {
        let slot = &mut Arc::make_mut(&mut self.pages)[page];
        let page = Arc::make_mut(slot.get_or_insert_with(|| Arc::new(Page::erased())));
        page.fingerprint = OnceLock::new();
        change(&mut page.bytes[range]);
    }

    /// A fast non-cryptographic hash of the contents, for deduplication. Unchanged pages are not hashed again.
    pub(super) fn fingerprint(&self) -> u128 {
        static ERASED: OnceLock<u128> = OnceLock::new();
        let erased = || *ERASED.get_or_init(|| Page::erased().fingerprint());
        let mut fingerprints = Vec::with_capacity(self.pages.len() * size_of::<u128>());
        for page in self.pages.iter() {
            let fingerprint = page.as_ref().map_or_else(erased, |page| page.fingerprint());
            fingerprints.extend_from_slice(&fingerprint.to_le_bytes());
        }
        xxh3_128(&fingerprints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each page, whether `a` and `b` share it.
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
    fn the_fingerprint_depends_only_on_the_contents() {
        let mut bytes = vec![0xFF; 3 * PAGE - 10];
        let mut pages = CowPages::erased(bytes.len() as u32);
        let mut seen = std::collections::HashMap::new();
        for step in 1..200_usize {
            let (from, len) = (step * 977 % bytes.len(), step * step % 600);
            let to = (from + len).min(bytes.len());
            match step % 3 {
                0 => {
                    bytes[from..to].fill(0xFF);
                    pages.erase(from, to);
                }
                1 => {
                    bytes[from..to].fill(step as u8);
                    pages.put(from, &vec![step as u8; to - from]);
                }
                _ => {
                    bytes[from..to].iter_mut().for_each(|byte| *byte &= step as u8);
                    pages.program(from, &vec![step as u8; to - from]);
                }
            }
            assert_eq!(*pages.bytes(), bytes);
            assert_eq!(
                pages.fingerprint(),
                CowPages::of(&bytes).fingerprint(),
                "after step {step}"
            );
            assert!(pages.holds(from, &bytes[from..to]));
            let other = seen.insert(pages.fingerprint(), bytes.clone());
            assert!(
                other.is_none_or(|other| other == bytes),
                "different contents have different fingerprints"
            );
        }
    }
}
