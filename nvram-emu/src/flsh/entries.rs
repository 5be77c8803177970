//! Iteration over the entries `name=value NUL … NUL` of a data area.

use memchr::memchr;

/// How a loader finds the ends of names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanMode {
    /// C strings: an entry without `=` ends the scan, and without a final NUL the scan reads beyond the area
    /// (`_nvram_rehash` of the OpenWrt tool up to 25.12).
    CStrings,
    /// C strings in an area that NUL bytes follow (`nvram_rehash` of the Broadcom driver writes two).
    Terminated,
    /// `memchr` up to the end of the area: an entry without `=` is merged with the next one
    /// (`_nvram_rehash` of the hardened OpenWrt tool).
    Bounded,
}

/// Why a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// At an empty name, or at the end of the area where that is allowed.
    Regular,
    /// At an entry without `=`, or with [`ScanMode::Bounded`] at an entry without NUL. The rest of the area is ignored.
    Malformed,
    /// The area ended inside an entry, where a C string function would continue beyond it.
    Overrun,
}

/// Iterator over the entries of a data area, in image order. Takes linear time.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    area: &'a [u8],
    at: usize,
    mode: ScanMode,
    end: Option<ScanEnd>,
}

/// One entry of a data area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name, which contains neither NUL nor `=`.
    pub name: &'a [u8],
    /// The value, which contains no NUL.
    pub value: &'a [u8],
}

impl<'a> Entries<'a> {
    /// Scans `area`, the bytes after the header.
    pub fn new(area: &'a [u8], mode: ScanMode) -> Self {
        Self { area, at: 0, mode, end: None }
    }

    /// Why the scan ended; `None` while there may be more entries.
    pub fn end(&self) -> Option<ScanEnd> {
        self.end
    }

    /// Number of bytes scanned so far.
    pub fn position(&self) -> usize {
        self.at
    }

    fn stop(&mut self, end: ScanEnd) -> Option<Entry<'a>> {
        self.end = Some(end);
        None
    }

    fn next_c_string(&mut self, rest: &'a [u8]) -> Option<Entry<'a>> {
        let nul = memchr(0, rest);
        let Some(len) = nul.or((self.mode == ScanMode::Terminated).then_some(rest.len())) else {
            return self.stop(ScanEnd::Overrun);
        };
        let Some(eq) = memchr(b'=', &rest[..len]) else {
            return self.stop(ScanEnd::Malformed);
        };
        self.at = (self.at + len + 1).min(self.area.len());
        Some(Entry { name: &rest[..eq], value: &rest[eq + 1..len] })
    }

    fn next_bounded(&mut self, rest: &'a [u8]) -> Option<Entry<'a>> {
        let Some(eq) = memchr(b'=', rest) else {
            return self.stop(ScanEnd::Malformed);
        };
        let Some(len) = memchr(0, &rest[eq + 1..]) else {
            return self.stop(ScanEnd::Malformed);
        };
        self.at += eq + 1 + len + 1;
        let name = &rest[..memchr(0, &rest[..eq]).unwrap_or(eq)];
        Some(Entry { name, value: &rest[eq + 1..eq + 1 + len] })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if self.end.is_some() {
            return None;
        }
        let rest = &self.area[self.at..];
        match (rest.first(), self.mode) {
            (Some(0), _) | (None, ScanMode::Terminated | ScanMode::Bounded) => {
                self.stop(ScanEnd::Regular)
            }
            (None, ScanMode::CStrings) => self.stop(ScanEnd::Overrun),
            (Some(_), ScanMode::Bounded) => self.next_bounded(rest),
            (Some(_), ScanMode::CStrings | ScanMode::Terminated) => self.next_c_string(rest),
        }
    }
}
