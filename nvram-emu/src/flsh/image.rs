//! Writing a table as an image, and reading any bytes as one.

use memchr::memmem;

use super::entries::{Entries, Entry, ScanEnd, ScanMode};
use super::header::{CRC_START, HEADER_LEN, Header, MAGIC, crc_from, crc_of};
use super::table::Table;

/// How the end of the data is padded, and what `len` says then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// OpenWrt: one NUL; `p` is the place behind it. NULs up to the next multiple of 4, then
    /// `len = roundup(p + 1, 4)`: where `p` is a multiple of 4, four fill bytes lie inside `len`.
    OpenWrt {
        /// 32-bit ARM: the mapping lies beyond 2 GiB, `(int)ptr % 4` is negative, and four more NULs follow.
        negative_address: bool,
    },
    /// Broadcom: two NULs behind the last entry, `len = roundup(p + 2, 4)`, `p` behind the last entry's own NUL.
    TwoNuls,
    /// Padavan: one NUL behind the last entry, `len = roundup(p + 1, 4)`, NULs up to there.
    OneNul,
}

/// Where a writer takes the header's numbers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderSource {
    /// From the four `sdram_*` variables; the defaults if one is missing.
    Sdram,
    /// The defaults, whatever the variables say (Padavan's kernel core).
    Defaults,
    /// `sdram_init` 2, the rest 0 (DD-WRT's own nvram.c: `NVRAM_DEFAULT`, and two words never written).
    DdWrt,
}

impl HeaderSource {
    fn header(self, table: &Table) -> Header {
        let names = ["sdram_init", "sdram_config", "sdram_refresh", "sdram_ncdl"];
        match self {
            Self::Sdram => Header::from_sdram(names.map(|name| table.get(name.as_bytes()))),
            Self::Defaults => Header::from_sdram([None; 4]),
            Self::DdWrt => Header::from_sdram([Some(b"2"), Some(b"0"), Some(b"0"), Some(b"0")]),
        }
    }
}

const MAGIC_BYTES: [u8; 4] = MAGIC.to_le_bytes();

/// What an image writer does beyond the order of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The byte that the data area is cleared with first.
    pub fill: u8,
    /// The end of the data.
    pub padding: Padding,
    /// What the header says beside `len` and the CRC.
    pub header_source: HeaderSource,
    /// First header byte that the CRC covers.
    pub crc_start: usize,
}

impl Format {
    /// The OpenWrt tool (`nvram_commit`, nvram.c).
    pub const OPENWRT: Self = Self {
        fill: 0xFF,
        padding: Padding::OpenWrt { negative_address: false },
        header_source: HeaderSource::Sdram,
        crc_start: CRC_START,
    };
    /// The same on 32-bit ARM.
    pub const OPENWRT_ARM: Self =
        Self { padding: Padding::OpenWrt { negative_address: true }, ..Self::OPENWRT };
    /// Broadcom's `_nvram_commit` (shared/nvram/nvram.c).
    pub const BROADCOM: Self = Self {
        fill: 0x00,
        padding: Padding::TwoNuls,
        header_source: HeaderSource::Sdram,
        crc_start: CRC_START,
    };
    /// Padavan's kernel core.
    pub const PADAVAN: Self = Self {
        fill: 0xFF,
        padding: Padding::OneNul,
        header_source: HeaderSource::Defaults,
        crc_start: CRC_START,
    };
    /// DD-WRT's own nvram.c: its CRC starts at `(char *)&tmp + 12`.
    pub const DDWRT: Self =
        Self { header_source: HeaderSource::DdWrt, crc_start: 12, ..Self::BROADCOM };
}

/// What [`serialise`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The `len` of the header.
    pub len: u32,
    /// Bytes of the entries, behind the header.
    pub texts: usize,
    /// Variables that did not fit and are silently gone.
    pub dropped: usize,
}

impl Written {
    /// What loading `image`, into which `table` was written so, gives: the same as taking it apart. `None` where that has
    /// to be done.
    pub fn reloaded(self, table: &Table, image: &[u8]) -> Option<Table> {
        let area = image.get(HEADER_LEN..HEADER_LEN + self.texts)?;
        if self.dropped == 0 { table.reloaded(area) } else { None }
    }
}

/// The writer would leave its buffer, as the real tool would leave its mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBounds;

/// Writes `table` as an image at the start of `mapping`, of which the first `space` bytes are the NVRAM.
///
/// An entry that would end behind `space - 2` is dropped with the rest of its chain; later chains are still
/// tried (`nvram_commit`, nvram.c: `break` out of the inner loop only).
///
/// # Errors
/// When the real tool would write behind the end of `mapping`; `mapping` is then partly written.
pub fn serialise(
    table: &Table,
    format: Format,
    mapping: &mut [u8],
    space: usize,
) -> Result<Written, OutOfBounds> {
    if space < HEADER_LEN + 4 || space > mapping.len() {
        return Err(OutOfBounds);
    }
    let mut header = format.header_source.header(table);
    let limit = space - 2;
    let mut at = HEADER_LEN;
    let mut dropped = 0;
    for chain in 0..table.chains() {
        let mut texts = table.chain_entries(chain);
        for text in texts.by_ref() {
            let end = at + text.len();
            if end > limit {
                dropped += 1;
                break;
            }
            mapping[at..end].copy_from_slice(text);
            at = end;
        }
        dropped += texts.count();
    }
    let texts = at - HEADER_LEN;
    mapping[at..space].fill(format.fill);
    let len = close(format.padding, mapping, at)?;
    header.len = len as u32;
    mapping[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    header.crc_ver_init |= u32::from(crc_from(mapping, format.crc_start, len));
    mapping[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    Ok(Written { len: len as u32, texts, dropped })
}

/// Writes the end of the data at `at`, behind the last entry, and returns `len`.
fn close(padding: Padding, mapping: &mut [u8], at: usize) -> Result<usize, OutOfBounds> {
    let len = match padding {
        Padding::OpenWrt { negative_address } => {
            mapping[at] = 0;
            let p = at + 1;
            let pad = match p % 4 {
                0 => 0,
                rest if negative_address => 8 - rest,
                rest => 4 - rest,
            };
            mapping.get_mut(p..p + pad).ok_or(OutOfBounds)?.fill(0);
            (p + 1).next_multiple_of(4)
        }
        Padding::TwoNuls => (at + 2).next_multiple_of(4),
        Padding::OneNul => {
            let len = (at + 1).next_multiple_of(4);
            mapping.get_mut(at..len).ok_or(OutOfBounds)?.fill(0);
            len
        }
    };
    if len > mapping.len() { Err(OutOfBounds) } else { Ok(len) }
}

/// What [`parse_any`] made of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// Where the first magic is, in steps of four bytes.
    pub offset: usize,
    /// The header found there.
    pub header: Header,
    /// The CRC over header and data up to `len`, for comparison with [`Header::crc`].
    pub crc: u8,
    /// The entries as C string functions see them, duplicates included.
    pub entries: Vec<Entry<'a>>,
    /// Why the entries ended.
    pub end: ScanEnd,
}

/// Reads any bytes as an image: never panics, linear in their number. `None` without a header.
pub fn parse_any(bytes: &[u8]) -> Option<Parsed<'_>> {
    let offset = find_magic(bytes, bytes.len())?;
    let image = &bytes[offset..];
    let header = Header::read(image)?;
    let mut walk = Entries::new(&image[HEADER_LEN..], ScanMode::CStrings);
    let entries = walk.by_ref().collect();
    let end = walk.end().unwrap_or(ScanEnd::Regular);
    Some(Parsed { offset, header, crc: crc_of(image, header.len as usize), entries, end })
}

/// The first offset below `limit` that is a multiple of 4 and at which the magic stands.
pub fn find_magic(bytes: &[u8], limit: usize) -> Option<usize> {
    let mut offsets = memmem::find_iter(bytes, &MAGIC_BYTES);
    offsets.find(|offset| offset.is_multiple_of(4)).filter(|offset| *offset < limit)
}

/// The shortest image that every dialect takes: a header with the default numbers, and no variable.
pub fn blank_image() -> [u8; HEADER_LEN + 4] {
    let mut image = [0; HEADER_LEN + 4];
    let mut header = Header::from_sdram([None; 4]);
    header.len = image.len() as u32;
    image[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    header.crc_ver_init |= u32::from(crc_of(&image, header.len as usize));
    image[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    image
}
