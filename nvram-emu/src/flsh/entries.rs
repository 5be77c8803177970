//! Walking over `name=value\0 … \0` in a data area.

/// How a loader finds the ends of names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanMode {
    /// C strings: an entry without `=` stops the scan; the area's end without a NUL is a read beyond it
    /// (`_nvram_rehash` of the OpenWrt tool up to 25.12).
    CStrings,
    /// C strings in an area that is followed by NUL bytes (`nvram_rehash` of the Broadcom driver writes two).
    Terminated,
    /// `memchr` up to the area's end: an entry without `=` swallows the name of the next one
    /// (`_nvram_rehash` of the hardened OpenWrt tool).
    Bounded,
}

/// Why a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// An empty name, or the end of an area where that is allowed.
    Regular,
    /// An entry without `=`, or (bounded) without its NUL: the rest is lost.
    Malformed,
    /// The area ended inside an entry: a C string function would go on reading beyond it.
    Overrun,
}

/// The entries of a data area, in image order. Linear in the area's length.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    area: &'a [u8],
    at: usize,
    mode: ScanMode,
    end: Option<ScanEnd>,
}

/// One entry: positions in the data area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name; holds no NUL and no `=`.
    pub name: &'a [u8],
    /// The value; holds no NUL.
    pub value: &'a [u8],
}

impl<'a> Entries<'a> {
    /// A walk over `area`, the bytes behind the header.
    pub fn new(area: &'a [u8], mode: ScanMode) -> Self {
        Self { area, at: 0, mode, end: None }
    }

    /// Why the scan ended; `None` while it has not.
    pub fn end(&self) -> Option<ScanEnd> {
        self.end
    }

    /// Bytes walked over so far.
    pub fn position(&self) -> usize {
        self.at
    }

    fn stop(&mut self, end: ScanEnd) -> Option<Entry<'a>> {
        self.end = Some(end);
        None
    }

    fn next_c_string(&mut self, rest: &'a [u8]) -> Option<Entry<'a>> {
        let (nul, eq) = find_ends(rest);
        let Some(len) = nul.or((self.mode == ScanMode::Terminated).then_some(rest.len())) else {
            return self.stop(ScanEnd::Overrun);
        };
        let Some(eq) = eq else {
            return self.stop(ScanEnd::Malformed);
        };
        self.at = (self.at + len + 1).min(self.area.len());
        Some(Entry { name: &rest[..eq], value: &rest[eq + 1..len] })
    }

    fn next_bounded(&mut self, rest: &'a [u8]) -> Option<Entry<'a>> {
        let Some(eq) = find(rest, b'=') else {
            return self.stop(ScanEnd::Malformed);
        };
        let Some(len) = find(&rest[eq + 1..], 0) else {
            return self.stop(ScanEnd::Malformed);
        };
        self.at += eq + 1 + len + 1;
        let name = &rest[..find(&rest[..eq], 0).unwrap_or(eq)];
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

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// The bytes of a word that are `byte`, as their high bits; the lowest one is exact, those above it may be false.
fn hits(word: u64, byte: u8) -> u64 {
    let word = word ^ LOW.wrapping_mul(u64::from(byte));
    word.wrapping_sub(LOW) & !word & HIGH
}

fn first(hits: u64) -> usize {
    hits.trailing_zeros() as usize / 8
}

/// Position of `byte` in `bytes`, a machine word at a time.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let hits = hits(u64::from_le_bytes(*chunk), byte);
        if hits != 0 {
            return Some(number * 8 + first(hits));
        }
    }
    rest.iter().position(|&b| b == byte).map(|at| chunks.len() * 8 + at)
}

/// Positions of the first NUL, and of the first `=` before it (before the end, where there is no NUL), in one pass.
fn find_ends(bytes: &[u8]) -> (Option<usize>, Option<usize>) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut eq = None;
    for (number, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let nuls = hits(word, 0);
        if eq.is_none() {
            let hits = hits(word, b'=');
            // Not one behind the NUL.
            if hits != 0 && (nuls == 0 || first(hits) < first(nuls)) {
                eq = Some(number * 8 + first(hits));
            }
        }
        if nuls != 0 {
            return (Some(number * 8 + first(nuls)), eq);
        }
    }
    let start = chunks.len() * 8;
    let nul = rest.iter().position(|byte| *byte == 0);
    let eq = eq.or_else(|| {
        rest[..nul.unwrap_or(rest.len())].iter().position(|b| *b == b'=').map(|at| start + at)
    });
    (nul.map(|at| start + at), eq)
}
