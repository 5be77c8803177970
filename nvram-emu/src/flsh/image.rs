//! Writing a table as an image, and parsing arbitrary bytes as an image.

use memchr::memmem;

use super::entries::{Entries, Entry, ScanEnd, ScanMode};
use super::header::{
    CRC_START, HEADER_LEN, Header, MAGIC, crc_from, crc_of, strtoul, wrapping_strtoul,
};
use super::table::Table;

/// How a writer pads the end of the data and computes `len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// OpenWrt: one NUL, which ends at `p`; NULs up to the next multiple of 4; `len = roundup(p + 1, 4)`. If `p` is
    /// a multiple of 4, four fill bytes lie inside `len`.
    OpenWrt {
        /// Whether `(int)ptr % 4` is negative, since the mapping lies beyond 2 GiB (32-bit ARM). Four more NULs
        /// follow then.
        negative_address: bool,
    },
    /// Broadcom: two NULs after the last entry, which ends with its own NUL at `p`; `len = roundup(p + 2, 4)`.
    TwoNuls,
    /// Padavan: NULs from the end `p` of the last entry up to `len = roundup(p + 1, 4)`.
    OneNul,
}

/// The source of the SDRAM parameters that a writer puts into the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderSource {
    /// The four `sdram_*` variables; the defaults if one of them is missing.
    Sdram,
    /// Like [`HeaderSource::Sdram`], with numbers of more than 32 bits modulo 2^32 (`bcm_strtoul` of kernel 2.4).
    SdramWrapping,
    /// The defaults, regardless of variables (Padavan's kernel core).
    Defaults,
    /// `sdram_init` is 2, the rest is 0 (DD-WRT's own nvram.c: `NVRAM_DEFAULT`, and two words never written).
    DdWrt,
}

impl HeaderSource {
    fn header(self, table: &Table) -> Header {
        let names = ["sdram_init", "sdram_config", "sdram_refresh", "sdram_ncdl"];
        match self {
            Self::Sdram => {
                Header::from_sdram(names.map(|name| table.get(name.as_bytes())), strtoul)
            }
            Self::SdramWrapping => {
                Header::from_sdram(names.map(|name| table.get(name.as_bytes())), wrapping_strtoul)
            }
            Self::Defaults => Header::from_sdram([None; 4], strtoul),
            Self::DdWrt => {
                Header::from_sdram([Some(b"2"), Some(b"0"), Some(b"0"), Some(b"0")], strtoul)
            }
        }
    }
}

const MAGIC_BYTES: [u8; 4] = MAGIC.to_le_bytes();

/// The image format of a writer, apart from the order of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The byte with which the writer first fills the data area.
    pub fill: u8,
    /// The padding after the entries.
    pub padding: Padding,
    /// The source of the SDRAM parameters.
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
    /// The OpenWrt tool on 32-bit ARM.
    pub const OPENWRT_ARM: Self =
        Self { padding: Padding::OpenWrt { negative_address: true }, ..Self::OPENWRT };
    /// Broadcom's `_nvram_commit` (shared/nvram/nvram.c).
    pub const BROADCOM: Self = Self {
        fill: 0x00,
        padding: Padding::TwoNuls,
        header_source: HeaderSource::Sdram,
        crc_start: CRC_START,
    };
    /// Broadcom's `_nvram_commit` in kernel 2.4.
    pub const BROADCOM_2_4: Self =
        Self { header_source: HeaderSource::SdramWrapping, ..Self::BROADCOM };
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

/// Summary of an image that [`serialise`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The `len` of the header.
    pub len: u32,
    /// Bytes of the entries after the header.
    pub entry_bytes: usize,
    /// Number of variables that did not fit and were silently dropped.
    pub dropped: usize,
}

impl Written {
    /// The result of loading `image`, into which `table` was just written. `None` if the image has to be parsed.
    pub fn reloaded(self, table: &Table, image: &[u8]) -> Option<Table> {
        let area = image.get(HEADER_LEN..HEADER_LEN + self.entry_bytes)?;
        if self.dropped == 0 { table.reloaded(area) } else { None }
    }
}

/// The writer would write beyond its buffer, as the real tool would write beyond its mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBounds;

/// Writes `table` as an image to the start of `mapping`, of which the first `space` bytes are the NVRAM.
///
/// An entry that would end after `space - 2` is dropped with the rest of its chain; later chains are still
/// written (`nvram_commit`, nvram.c: `break` out of the inner loop only).
///
/// # Errors
/// If the real tool would write beyond the end of `mapping`, which is partly written in this case.
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
        let mut entries = table.chain_entries(chain);
        for entry in entries.by_ref() {
            let end = at + entry.len();
            if end > limit {
                dropped += 1;
                break;
            }
            mapping[at..end].copy_from_slice(entry);
            at = end;
        }
        dropped += entries.count();
    }
    let entry_bytes = at - HEADER_LEN;
    mapping[at..space].fill(format.fill);
    let len = write_padding(format.padding, mapping, at)?;
    header.len = len as u32;
    mapping[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    header.crc_ver_init |= u32::from(crc_from(mapping, format.crc_start, len));
    mapping[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    Ok(Written { len: len as u32, entry_bytes, dropped })
}

/// Writes the padding at `at`, after the last entry, and returns `len`.
fn write_padding(padding: Padding, mapping: &mut [u8], at: usize) -> Result<usize, OutOfBounds> {
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

/// An image that [`parse_any`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// Offset of the first magic, a multiple of 4.
    pub offset: usize,
    /// The header at `offset`.
    pub header: Header,
    /// The CRC over header and data up to `len`, for comparison with [`Header::crc`].
    pub crc: u8,
    /// The entries as C string functions read them, including duplicates.
    pub entries: Vec<Entry<'a>>,
    /// Why the entries ended.
    pub end: ScanEnd,
}

/// Parses arbitrary bytes as an image, in linear time and without panics. `None` if there is no header.
pub fn parse_any(bytes: &[u8]) -> Option<Parsed<'_>> {
    let offset = find_magic(bytes, bytes.len())?;
    let image = &bytes[offset..];
    let header = Header::read(image)?;
    let mut scan = Entries::new(&image[HEADER_LEN..], ScanMode::CStrings);
    let entries = scan.by_ref().collect();
    let end = scan.end().unwrap_or(ScanEnd::Regular);
    Some(Parsed { offset, header, crc: crc_of(image, header.len as usize), entries, end })
}

/// The first offset below `limit` that is a multiple of 4 and holds the magic.
pub fn find_magic(bytes: &[u8], limit: usize) -> Option<usize> {
    let mut offsets = memmem::find_iter(bytes, &MAGIC_BYTES);
    offsets.find(|offset| offset.is_multiple_of(4)).filter(|offset| *offset < limit)
}

/// The shortest image that every dialect accepts: a header with default parameters, and no variable.
pub fn blank_image() -> [u8; HEADER_LEN + 4] {
    let mut image = [0; HEADER_LEN + 4];
    let mut header = Header::from_sdram([None; 4], strtoul);
    header.len = image.len() as u32;
    image[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    header.crc_ver_init |= u32::from(crc_of(&image, header.len as usize));
    image[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    image
}
