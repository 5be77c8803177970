//! Walking over `name=value\0 … \0` in a data area.

/// How a loader finds the ends of names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// C strings: an entry without `=` stops the walk; the area's end without a NUL is a read beyond it
    /// (`_nvram_rehash` of the OpenWrt tool up to 25.12).
    CStrings,
    /// C strings in an area that is followed by NUL bytes (`nvram_rehash` of the Broadcom driver writes two).
    Terminated,
    /// `memchr` up to the area's end: an entry without `=` swallows the name of the next one
    /// (`_nvram_rehash` of the hardened OpenWrt tool).
    Bounded,
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// An empty name, or the end of an area where that is allowed.
    Regular,
    /// An entry without `=`, or (bounded) without its NUL: the rest is lost.
    Malformed,
    /// The area ended inside an entry: a C string function would go on reading beyond it.
    RanOff,
}

/// The entries of a data area, in image order. Linear in the area's length.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    area: &'a [u8],
    at: usize,
    walk: Walk,
    end: Option<End>,
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
    pub fn new(area: &'a [u8], walk: Walk) -> Self {
        Self { area, at: 0, walk, end: None }
    }

    /// Why the walk ended; `None` while it has not.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Bytes walked over so far.
    pub fn position(&self) -> usize {
        self.at
    }

    fn stop(&mut self, end: End) -> Option<Entry<'a>> {
        self.end = Some(end);
        None
    }

    fn next_c_string(&mut self, rest: &'a [u8]) -> Option<Entry<'a>> {
        let Some(len) = find(rest, 0).or((self.walk == Walk::Terminated).then_some(rest.len()))
        else {
            return self.stop(End::RanOff);
        };
        let Some(eq) = find(&rest[..len], b'=') else {
            return self.stop(End::Malformed);
        };
        self.at = (self.at + len + 1).min(self.area.len());
        Some(Entry { name: &rest[..eq], value: &rest[eq + 1..len] })
    }

    fn next_bounded(&mut self, rest: &'a [u8]) -> Option<Entry<'a>> {
        let Some(eq) = find(rest, b'=') else {
            return self.stop(End::Malformed);
        };
        let Some(len) = find(&rest[eq + 1..], 0) else {
            return self.stop(End::Malformed);
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
        match (rest.first(), self.walk) {
            (Some(0), _) | (None, Walk::Terminated | Walk::Bounded) => self.stop(End::Regular),
            (None, Walk::CStrings) => self.stop(End::RanOff),
            (Some(_), Walk::Bounded) => self.next_bounded(rest),
            (Some(_), Walk::CStrings | Walk::Terminated) => self.next_c_string(rest),
        }
    }
}

/// Position of `byte` in `bytes`, a machine word at a time.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = LOW << 7;
    let (chunks, _) = bytes.as_chunks::<8>();
    let pattern = LOW.wrapping_mul(u64::from(byte));
    let hit = chunks.iter().position(|chunk| {
        let word = u64::from_le_bytes(*chunk) ^ pattern;
        word.wrapping_sub(LOW) & !word & HIGH != 0
    });
    let start = hit.unwrap_or(chunks.len()) * 8;
    bytes[start..].iter().position(|&b| b == byte).map(|at| start + at)
}
