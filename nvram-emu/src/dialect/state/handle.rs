//! An image that an OpenWrt tool has opened: the mapping, and the table loaded from it (`nvram_open`, nvram.c).

use std::borrow::Cow;

use memchr::memchr;

use super::halt::{Fault, Halt, Signal};
use crate::flsh::{
    ChainRule, Entries, Format, HEADER_LEN, Header, Insert, ScanEnd, ScanMode, Table, find_magic,
    serialise, strtoul,
};

/// The differences between builds and versions of the OpenWrt tool.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Hash chain of a name.
    pub rule: ChainRule,
    /// Image format of a commit.
    pub format: Format,
    /// Whether the tool parses within bounds, respects the length of the staging file and refuses partitions
    /// below 32 KiB (nvram.c 51fb19cb5d, hauke/openwrt).
    pub hardened: bool,
}

/// Minimum size of an NVRAM (`NVRAM_MIN_SPACE`). The search for the magic stops at this distance from the end.
const MIN_SPACE: u32 = 0x8000;
const PAGE: usize = 4096;

/// A mapped image and its variables (`nvram_handle_t`).
#[derive(Clone, Debug)]
pub struct Handle {
    variant: Variant,
    /// `nvram_part_size`, or in hardened builds the shorter length of the staging file.
    length: u32,
    offset: u32,
    header: Header,
    /// The variables, which commands change before [`Handle::serialise`] writes them back.
    pub table: Table,
}

/// Why [`Handle::open`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The tool prints "Could not open nvram!".
    Refused,
    /// The real tool would crash.
    Fault(Fault),
}

/// What [`Handle::open`] opens, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// The partition, for reading (`nvram_open_rdonly` without a staging file).
    ReadPartition,
    /// The staging file, for reading (`nvram_open_rdonly`).
    ReadStaging,
    /// The staging file, for writing (`nvram_open_staging`): the length in the header must be below the space.
    WriteStaging,
}

/// The readable bytes of a file of which `length` bytes are mapped: whole pages, with NUL after the end of the
/// file.
fn accessible(file: &[u8], length: u32) -> Cow<'_, [u8]> {
    let mapped = (length as usize).next_multiple_of(PAGE);
    let pages = file.len().next_multiple_of(PAGE).min(mapped);
    if pages <= file.len() {
        return Cow::Borrowed(&file[..pages]);
    }
    let mut bytes = file.to_vec();
    bytes.resize(pages, 0);
    Cow::Owned(bytes)
}

impl Handle {
    /// `nvram_open` of `file`; `part_size` is the size of the partition according to /proc/mtd.
    ///
    /// # Errors
    /// When there is no usable image, or where the real tool would crash.
    pub fn open(
        variant: Variant,
        file: &[u8],
        part_size: u32,
        mode: OpenMode,
    ) -> Result<Self, OpenError> {
        let mut length = part_size;
        if variant.hardened {
            if mode != OpenMode::ReadPartition && (file.len() as u64) < u64::from(length) {
                length = file.len() as u32 & !3;
            }
            if length < MIN_SPACE {
                return Err(OpenError::Refused);
            }
        }
        let mapping = accessible(file, length);
        let fault = |what| {
            let is_whole = mapping.len() >= length as usize;
            let signal = if is_whole { Signal::Segv } else { Signal::Bus };
            OpenError::Fault(Fault { what, signal })
        };
        // For a partition below 32 KiB the search limit of the real tool wraps around.
        let limit = length.checked_sub(MIN_SPACE).map(|last| last as usize + 1);
        let Some(offset) = find_magic(&mapping, limit.unwrap_or(usize::MAX)) else {
            let stays = limit.is_some_and(|limit| limit.div_ceil(4) * 4 <= mapping.len());
            return Err(if stays {
                OpenError::Refused
            } else {
                fault("the search for the header runs off the end of the mapping")
            });
        };
        let image = &mapping[offset..];
        let header =
            Header::read(image).ok_or(fault("the header lies beyond the end of the mapping"))?;
        let space = length.saturating_sub(offset as u32);
        if mode == OpenMode::WriteStaging && header.len >= space {
            return Err(OpenError::Refused);
        }
        let (table, end) = load(variant, image, header, space);
        if end == ScanEnd::Overrun {
            return Err(fault("the variables run off the end of the mapping"));
        }
        Ok(Self { variant, length, offset: offset as u32, header, table })
    }

    /// The effect of a crash in `_nvram_rehash` on the shared mapping. The tool replaces the `=` of an entry by
    /// NUL while it loads the entry. The `=` of a value that extends beyond the end is never restored, so the next
    /// command succeeds.
    pub(in crate::dialect) fn crash_while_loading(staging: &mut [u8]) {
        let Some(offset) = find_magic(staging, usize::MAX) else {
            return;
        };
        let Some(area) = staging.get_mut(offset + HEADER_LEN..) else {
            return;
        };
        let mut entries = Entries::new(area, ScanMode::CStrings);
        entries.by_ref().for_each(drop);
        let (end, at) = (entries.end(), entries.position());
        if let (Some(ScanEnd::Overrun), Some(eq)) = (end, memchr(b'=', &area[at..])) {
            area[at + eq] = 0;
        }
    }

    /// The effect of a crash in `nvram_commit` on a staging file that is too short: a new header with the old
    /// length and no CRC, and fill bytes up to the end of the file.
    fn crash_while_filling(&self, staging: &mut [u8]) {
        let sdram = ["sdram_init", "sdram_config", "sdram_refresh", "sdram_ncdl"];
        let fresh = Header::from_sdram(sdram.map(|name| self.table.get(name.as_bytes())), strtoul);
        let header = Header { len: self.header.len, ..fresh };
        if let Some((head, data)) = staging
            .get_mut(self.offset as usize..)
            .and_then(|image| image.split_at_mut_checked(HEADER_LEN))
        {
            head.copy_from_slice(&header.to_bytes());
            data.fill(self.variant.format.fill);
        }
    }

    /// Bytes from the header to the end of the mapping.
    pub fn space(&self) -> u32 {
        self.length - self.offset
    }

    /// Offset of the header in the partition.
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// The header at the time of opening.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Whether the image was opened by the hardened version of the tool.
    pub fn hardened(&self) -> bool {
        self.variant.hardened
    }

    /// `nvram_set`; `false` stands for -12, which the tool returns for a value that is longer than the space.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> bool {
        if value.len() as u64 + 1 > u64::from(self.space()) {
            return false;
        }
        self.table.set(name, value);
        true
    }

    /// `nvram_commit` of nvram.c: writes the table, the header and the CRC to the mapping of the staging file.
    /// Variables that do not fit are silently lost. Returns what the next command will open, if that is known
    /// without parsing.
    ///
    /// # Errors
    /// [`Halt::Fault`] when the file is shorter than the mapping, or the ARM padding leaves the mapping.
    pub fn serialise(&self, staging: &mut Vec<u8>) -> Result<Option<Self>, Halt> {
        let file_len = staging.len();
        let pages =
            file_len.next_multiple_of(PAGE).min((self.length as usize).next_multiple_of(PAGE));
        if pages < self.length as usize {
            self.crash_while_filling(staging);
            let what = "the staging file is shorter than its mapping";
            return Err(Halt::Fault(Fault { what, signal: Signal::Bus }));
        }
        staging.resize(pages.max(file_len), 0);
        let (offset, space) = (self.offset as usize, self.space() as usize);
        let written =
            serialise(&self.table, self.variant.format, &mut staging[offset..pages], space);
        staging.truncate(file_len);
        let written = written.map_err(|_| {
            let what = "the padding leaves the mapping";
            Halt::Fault(Fault { what, signal: Signal::Segv })
        })?;
        let image = &staging[offset.min(file_len)..];
        let reopened = || {
            let header = Header::read(image)?;
            let table = with_sdram(written.reloaded(&self.table, image)?, header);
            Some(Self { header, table, ..*self })
        };
        Ok(reopened())
    }
}

/// `_nvram_rehash`.
fn load(variant: Variant, image: &[u8], header: Header, space: u32) -> (Table, ScanEnd) {
    let (area, mode) = if variant.hardened {
        let len = header.len;
        let end = if (HEADER_LEN as u32..=space).contains(&len) { len } else { space };
        (&image[HEADER_LEN..(end as usize).min(image.len()).max(HEADER_LEN)], ScanMode::Bounded)
    } else {
        (&image[HEADER_LEN..], ScanMode::CStrings)
    };
    let (table, end) = Table::load(area, mode, variant.rule, Insert::Head);
    (with_sdram(table, header), end)
}

/// The end of `_nvram_rehash`: adds missing `sdram_*` variables.
fn with_sdram(mut table: Table, header: Header) -> Table {
    Table::add_sdram(header, |name, value| {
        if table.get(name).is_none() {
            table.set(name, value);
        }
    });
    table
}
