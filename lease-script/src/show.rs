//! The output of `nvram show`: leases, invalid variables, and the free space.
//!
//! | tool | where the free space is | can a value forge it? |
//! |---|---|---|
//! | Broadcom and derived tools | standard error: `size: N bytes (M left)` | only a smaller number |
//! | OpenWrt | last line (of `info`): `N bytes used / M bytes available` | no |
//! | Padavan | last line: `size: N bytes (M left)` | only a smaller number |
//! | Tomato | last line: `…, M bytes free.` after `---` | no |
//! | others | `LEASE_NVRAM_FREE`, otherwise unknown | |
//!
//! A value may contain line breaks, and the text after one may look like another variable or like a size. So lines are
//! only hints, and the smallest number counts.

use crate::record::Stored;

/// The size of the four `sdram_*` variables that some tools add at the first write, of padding, and of the last bytes,
/// which would make OpenWrt's tool refuse all writes (`len` must be below the space).
const RESERVE: i64 = 92;
/// The same without the `sdram_*` variables.
const MARGIN: i64 = 8;

/// What a valid variable under the prefix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    V4,
    ServerDuid,
    V6,
}

/// What a valid variable is, its name and its value.
type Valid = (Kind, Vec<u8>, Vec<u8>);

/// The variables under the prefix, as `init` reads them.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The valid variables, in the order in which dnsmasq reads their values; those of a kind as the tool shows them.
    pub(crate) valid: Vec<Valid>,
    /// Lines with a name under the prefix and an invalid value.
    pub(crate) invalid: Vec<Vec<u8>>,
    /// The number of leases beyond the maximum.
    pub(crate) surplus: u64,
    /// Whether a valid variable occurs twice, so that one of them is part of another value.
    pub(crate) is_doubtful: bool,
    /// Whether the image was read while OpenWrt's tool wrote it: its checksum is wrong.
    pub(crate) is_torn: bool,
    /// Whether the tool takes one command per call, and has printed its usage.
    pub(crate) is_usage: bool,
}

impl Listing {
    /// Parses the output of `show info`; `max`: the number of leases, 0 for all.
    pub(crate) fn parse(text: &[u8], prefix: &[u8], max: u64) -> Self {
        let mut listing = Self::default();
        // Sorted.
        let mut seen = Vec::new();
        let mut count = 0;
        for line in lines(text) {
            let Some((name, value)) = variable(line, prefix) else {
                if line.starts_with(b"CRC8:") {
                    listing.is_torn = !has_right_checksum(line);
                }
                continue;
            };
            let Some(kind) = kind(&name[prefix.len()..], value) else {
                listing.invalid.push(line.to_vec());
                continue;
            };
            let Err(place) = seen.binary_search(&name) else {
                listing.is_doubtful = true;
                continue;
            };
            seen.insert(place, name);
            count += u64::from(kind != Kind::ServerDuid);
            if kind == Kind::ServerDuid || max == 0 || count <= max {
                listing.valid.push((kind, name.to_vec(), value.to_vec()));
            }
        }
        // DHCPv4 leases, the DUID of the server, DHCPv6 leases: dnsmasq reads them in this order.
        listing.valid.sort_by_key(|valid| valid.0);
        listing.surplus = if max == 0 { 0 } else { count.saturating_sub(max) };
        listing.is_usage = text.starts_with(b"NVRAM Utility");
        listing
    }

    /// The names of valid variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.valid.iter().map(|(_, name, _)| name.as_slice())
    }

    /// The values of valid variables, each with a line break.
    pub(crate) fn output(&self) -> Vec<u8> {
        self.valid.iter().flat_map(|(_, _, value)| [value, b"\n".as_slice()].concat()).collect()
    }
}

/// Whether `show` contains this line.
pub(crate) fn has_line(text: &[u8], line: &[u8]) -> bool {
    lines(text).any(|other| other == line)
}

/// The lines with a name under the prefix and an invalid value.
pub(crate) fn invalid_lines(text: &[u8], prefix: &[u8]) -> Vec<Vec<u8>> {
    Listing::parse(text, prefix, 0).invalid
}

/// The number of free bytes; `None` if the tool does not report it.
pub(crate) fn free_bytes(text: &[u8]) -> Option<i64> {
    let mut free: Option<i64> = None;
    let mut room = |found: Option<i64>| {
        if let Some(found) = found {
            free = Some(free.map_or(found, |free| free.min(found)));
        }
    };
    let mut last = b"".as_slice();
    for line in lines(text).filter(|line| !line.is_empty()) {
        last = line;
        // Standard error can come in the middle of any line, also of a lease.
        room(size(line));
    }
    if let Some(at) = find(last, b" / ").filter(|_| find(last, b" bytes available (").is_some()) {
        room(Some(number(&last[at + 3..])));
    }
    if last.ends_with(b" bytes free.") {
        room(last.split(|c| *c == b' ').nth(5).map(number));
    }
    free
}

/// Checks whether the variables can grow by `growth` bytes.
///
/// # Errors
/// The number of bytes needed.
pub(crate) fn check_space(growth: i64, free: i64) -> Result<(), i64> {
    let need = growth + if growth > 0 { RESERVE } else { MARGIN };
    if need <= free { Ok(()) } else { Err(need) }
}

/// The lines of a text, the last one with or without a line break.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let count = if text.is_empty() { 0 } else { usize::MAX };
    text.split(|c| *c == b'\n').take(count)
}

/// The name and the value in a line of a variable under the prefix.
pub(crate) fn variable<'a>(line: &'a [u8], prefix: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    if !line.starts_with(prefix) {
        return None;
    }
    let at = line.iter().position(|c| *c == b'=')?;
    Some((&line[..at], &line[at + 1..]))
}

fn kind(suffix: &[u8], value: &[u8]) -> Option<Kind> {
    match Stored::parse(suffix, value).ok()? {
        Stored::ServerDuid(_) => Some(Kind::ServerDuid),
        Stored::Lease(_) if suffix.contains(&b':') => Some(Kind::V6),
        Stored::Lease(_) => Some(Kind::V4),
    }
}

/// `CRC8:          0x77 (calculated: 0x77)`.
fn has_right_checksum(line: &[u8]) -> bool {
    let mut words = line.split(|c| *c == b' ').filter(|word| !word.is_empty()).skip(1);
    let (stored, calculated) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
    [stored, b")"].concat() == calculated
}

/// The number in the last `size: N bytes (M left)` of a line.
fn size(line: &[u8]) -> Option<i64> {
    let start = find(line, b"size: ")? + 6;
    let at = line.windows(8).rposition(|part| part.starts_with(b" bytes ("))?;
    let number = line.get(at + 8..).filter(|_| at >= start)?;
    let number = &number[..find(number, b" left)")?];
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    (is_number && number.len() < 11).then(|| self::number(number))
}

/// The number at the start of a text.
fn number(text: &[u8]) -> i64 {
    let (sign, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let digits = digits.iter().take(15).take_while(|c| c.is_ascii_digit());
    sign * digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

/// The position of a part in a text.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
