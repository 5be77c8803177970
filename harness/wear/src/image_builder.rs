//! Builds the flash image of every commit, byte for byte.
//!
//! Two methods give the same bytes: serialising the whole image, as the tool does, or overwriting the record that
//! changed and updating the CRC. The order of the variables is that of OpenWrt's tool: each command loads the image and
//! thereby reverses every hash chain, so a `set` and its `commit` together keep the order and append a new name to its
//! chain.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::Ipv4Addr;

use nvram_emu::Dialect;
use nvram_emu::flsh::{
    ChainRule, Entries, Format, HEADER_LEN, Header, Insert, ScanMode, Table, crc8, serialise,
};

use super::cost_model::CostModel;
use dnsmasq_model::{HwAddr, hex_text};

const PREFIX: &[u8] = b"dnsmasq_lease_";
/// Offset of the CRC in the header.
const CRC_OFFSET: usize = 8;
/// The table is reloaded when its values, including replaced ones, occupy more than this many times the size of the
/// NVRAM.
const MAX_GROWTH: usize = 8;

/// How images are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageMode {
    /// Serialise the whole image.
    Full,
    /// Overwrite the value that changed if its length is the same; otherwise serialise the whole image.
    Incremental,
}

/// The fields of a stored record.
#[derive(Clone, Copy, Debug)]
pub struct RecordFields<'a> {
    /// The expiry time or the lease length, in seconds.
    pub time: u64,
    /// The hardware address.
    pub hw: &'a HwAddr,
    /// The host name.
    pub name: Option<&'a [u8]>,
    /// The client-id.
    pub clid: Option<&'a [u8]>,
}

/// The error for a dialect whose images cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("images of {0} cannot be built: they are built for the dialect openwrt only")]
pub struct ImagesUnsupported(Dialect);

/// The image of one router, updated with every commit.
#[derive(Debug)]
pub struct ImageBuilder {
    mode: ImageMode,
    table: Table,
    bytes: Vec<u8>,
    /// The offset of each record's value in the image, by IPv4 address.
    value_offsets: HashMap<u32, usize>,
    /// Whether the whole image has to be serialised.
    stale: bool,
    built: u64,
    value: Vec<u8>,
    crc_shift: CrcShift,
}

impl ImageBuilder {
    /// Creates the image of a router with its factory settings.
    ///
    /// # Errors
    /// Returns an error if the dialect is not openwrt.
    pub fn new(cost_model: &CostModel, mode: ImageMode) -> Result<Self, ImagesUnsupported> {
        let machine = cost_model.machine();
        if machine.dialect() != Dialect::OpenWrt {
            return Err(ImagesUnsupported(machine.dialect()));
        }
        let bytes = machine.flash_bytes()[cost_model.image(0).start as usize..].to_vec();
        let (table, _) =
            Table::restore(&bytes[HEADER_LEN..], ChainRule::OPENWRT_MIPS, Insert::Tail);
        Ok(Self {
            mode,
            table,
            bytes,
            value_offsets: HashMap::new(),
            stale: true,
            built: 0,
            value: Vec::new(),
            crc_shift: CrcShift::new(),
        })
    }

    /// Returns the number of images built.
    pub fn built(&self) -> u64 {
        self.built
    }

    /// Returns the bytes of the latest image.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Applies `nvram set` of a record.
    pub fn set(&mut self, addr: Ipv4Addr, record: RecordFields<'_>) {
        self.value.clear();
        let name = String::from_utf8_lossy(record.name.unwrap_or(b"*"));
        let clid = record.clid.map_or_else(|| "*".to_owned(), hex_text);
        let _ = write!(self.value, "{} {} {addr} {name} {clid}", record.time, record.hw.text());
        self.table.set(&variable(addr), &self.value);
        let offset = self.value_offsets.get(&addr.to_bits()).copied().filter(|_| !self.stale);
        match offset {
            Some(at) if self.bytes.get(at + self.value.len()) == Some(&0) => self.patch(at),
            _ => self.stale = true,
        }
    }

    /// Applies `nvram unset` of a record.
    pub fn unset(&mut self, addr: Ipv4Addr) {
        self.stale |= self.table.unset(&variable(addr));
    }

    /// Applies `nvram commit`: builds the image that is written to the flash.
    pub fn build(&mut self) {
        self.built += 1;
        if self.mode == ImageMode::Incremental && !self.stale {
            return;
        }
        let space = self.bytes.len();
        // `space` is the size of the partition, so the header and the terminator always fit.
        let written = serialise(&self.table, Format::OPENWRT, &mut self.bytes, space);
        debug_assert!(written.is_ok());
        if self.table.printed_len() > MAX_GROWTH * space {
            let rule = ChainRule::OPENWRT_MIPS;
            (self.table, _) = Table::restore(&self.bytes[HEADER_LEN..], rule, Insert::Tail);
        }
        if self.mode == ImageMode::Incremental {
            self.find_values();
            self.stale = false;
        }
    }

    /// Updates `value_offsets` from the image.
    fn find_values(&mut self) {
        self.value_offsets.clear();
        let mut at = HEADER_LEN;
        for entry in Entries::new(&self.bytes[HEADER_LEN..], ScanMode::CStrings) {
            let value = at + entry.name.len() + 1;
            at = value + entry.value.len() + 1;
            let addr = entry.name.strip_prefix(PREFIX).and_then(|addr| str::from_utf8(addr).ok());
            if let Some(addr) = addr.and_then(|addr| addr.parse::<Ipv4Addr>().ok()) {
                self.value_offsets.insert(addr.to_bits(), value);
            }
        }
    }

    /// Overwrites a value with one of the same length and updates the CRC. The CRC is linear, so the CRC of the
    /// difference is the difference of the CRCs.
    fn patch(&mut self, at: usize) {
        let end = at + self.value.len();
        let mut difference = 0;
        for (byte, new) in self.bytes[at..end].iter_mut().zip(&self.value) {
            difference = crc8::update(difference, &[*byte ^ new]);
            *byte = *new;
        }
        let len = Header::read(&self.bytes).map_or(end, |header| header.len as usize);
        self.bytes[CRC_OFFSET] ^= self.crc_shift.apply(difference, len.saturating_sub(end));
    }
}

fn variable(addr: Ipv4Addr) -> Vec<u8> {
    let mut name = PREFIX.to_vec();
    let _ = write!(name, "{addr}");
    name
}

/// Computes how a CRC changes when zero bytes follow the message.
#[derive(Debug)]
struct CrcShift {
    /// For each number of zero bytes up to the period of the CRC: the CRC that each bit becomes after that many zero
    /// bytes.
    powers: Vec<[u8; 8]>,
}

impl CrcShift {
    fn new() -> Self {
        let identity = std::array::from_fn(|bit| 1 << bit);
        let mut powers: Vec<[u8; 8]> = vec![identity];
        let mut now = identity;
        loop {
            now = now.map(|crc: u8| crc8::update(crc, &[0]));
            if now == identity {
                return Self { powers };
            }
            powers.push(now);
        }
    }

    fn apply(&self, crc: u8, bytes: usize) -> u8 {
        let bits = &self.powers[bytes % self.powers.len()];
        (0..8).filter(|bit| crc >> bit & 1 == 1).fold(0, |sum, bit| sum ^ bits[bit])
    }
}
