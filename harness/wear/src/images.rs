//! Flash images really built, byte for byte, at every commit of a count.
//!
//! Two ways to the same bytes: the whole image anew, as the tool does it, or the one record that changed in its place and
//! the CRC with it. For OpenWrt's tool: each command loads the image and thereby turns every chain round, so that a `set`
//! and its `commit` leave the order as it was, a new name last in its chain.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::Ipv4Addr;

use nvram_emu::Dialect;
use nvram_emu::flsh::{
    ChainRule, Entries, Format, HEADER_LEN, Header, Insert, ScanMode, Table, crc8, serialise,
};

use super::cost_model::{CostModel, NotPriced};
use dnsmasq_model::{HwAddr, hex_text};

const PREFIX: &[u8] = b"dnsmasq_lease_";
/// Where the header keeps its CRC.
const CRC_AT: usize = 8;
/// A table whose pool of old values has grown so much larger than the NVRAM is made anew.
const SLACK_OF_POOL: usize = 8;

/// How images are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageMode {
    /// Each one whole.
    Full,
    /// What changed is changed in place, where it keeps its length.
    Incremental,
}

/// What stands in a stored record.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// Expiry or length.
    pub time: u64,
    /// Hardware address.
    pub hw: &'a HwAddr,
    /// Host name.
    pub name: Option<&'a [u8]>,
    /// Client-id.
    pub clid: Option<&'a [u8]>,
}

/// The image of one router, kept up to date.
#[derive(Debug)]
pub struct Images {
    mode: ImageMode,
    table: Table,
    bytes: Vec<u8>,
    /// Where the records' values stand in the image.
    places: HashMap<u32, usize>,
    /// Whether the image has to be built whole.
    stale: bool,
    built: u64,
    value: Vec<u8>,
    advance: Advance,
}

impl Images {
    /// The image of a router as it leaves the factory.
    ///
    /// # Errors
    /// A dialect whose images are not modelled here.
    pub fn new(cost_model: &CostModel, mode: ImageMode) -> Result<Self, NotPriced> {
        let machine = cost_model.machine();
        if machine.dialect() != Dialect::OpenWrt {
            let why = "images are built for the dialect openwrt only";
            return Err(NotPriced::because(why));
        }
        let bytes = machine.flash_bytes()[cost_model.image(0).start as usize..].to_vec();
        let (table, _) =
            Table::restore(&bytes[HEADER_LEN..], ChainRule::OPENWRT_MIPS, Insert::Tail);
        Ok(Self {
            mode,
            table,
            bytes,
            places: HashMap::new(),
            stale: true,
            built: 0,
            value: Vec::new(),
            advance: Advance::new(),
        })
    }

    /// How many were built.
    pub fn built(&self) -> u64 {
        self.built
    }

    /// The image.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `nvram set` of a record.
    pub fn set(&mut self, addr: Ipv4Addr, record: Fields<'_>) {
        self.value.clear();
        let name = String::from_utf8_lossy(record.name.unwrap_or(b"*"));
        let clid = record.clid.map_or_else(|| "*".to_owned(), hex_text);
        let _ = write!(self.value, "{} {} {addr} {name} {clid}", record.time, record.hw.text());
        self.table.set(&variable(addr), &self.value);
        let place = self.places.get(&addr.to_bits()).copied().filter(|_| !self.stale);
        match place {
            Some(at) if self.bytes.get(at + self.value.len()) == Some(&0) => self.patch(at),
            _ => self.stale = true,
        }
    }

    /// `nvram unset` of a record.
    pub fn unset(&mut self, addr: Ipv4Addr) {
        self.stale |= self.table.unset(&variable(addr));
    }

    /// `nvram commit`: the image is as it goes to the flash.
    pub fn build(&mut self) {
        self.built += 1;
        if self.mode == ImageMode::Incremental && !self.stale {
            return;
        }
        let space = self.bytes.len();
        // The space is the partition's: there is always room for header and end.
        let written = serialise(&self.table, Format::OPENWRT, &mut self.bytes, space);
        debug_assert!(written.is_ok());
        if self.table.printed_len() > SLACK_OF_POOL * space {
            let rule = ChainRule::OPENWRT_MIPS;
            (self.table, _) = Table::restore(&self.bytes[HEADER_LEN..], rule, Insert::Tail);
        }
        if self.mode == ImageMode::Incremental {
            self.find_places();
            self.stale = false;
        }
    }

    /// Looks up where each record's value begins.
    fn find_places(&mut self) {
        self.places.clear();
        let mut at = HEADER_LEN;
        for entry in Entries::new(&self.bytes[HEADER_LEN..], ScanMode::CStrings) {
            let value = at + entry.name.len() + 1;
            at = value + entry.value.len() + 1;
            let addr = entry.name.strip_prefix(PREFIX).and_then(|addr| str::from_utf8(addr).ok());
            if let Some(addr) = addr.and_then(|addr| addr.parse::<Ipv4Addr>().ok()) {
                self.places.insert(addr.to_bits(), value);
            }
        }
    }

    /// Writes the value over one of the same length, and mends the CRC: it is linear in the bytes that differ.
    fn patch(&mut self, at: usize) {
        let end = at + self.value.len();
        let mut difference = 0;
        for (byte, new) in self.bytes[at..end].iter_mut().zip(&self.value) {
            difference = crc8::update(difference, &[*byte ^ new]);
            *byte = *new;
        }
        let len = Header::read(&self.bytes).map_or(end, |header| header.len as usize);
        self.bytes[CRC_AT] ^= self.advance.by(difference, len.saturating_sub(end));
    }
}

fn variable(addr: Ipv4Addr) -> Vec<u8> {
    let mut name = PREFIX.to_vec();
    let _ = write!(name, "{addr}");
    name
}

/// What a CRC without start value becomes behind so many zero bytes.
#[derive(Debug)]
struct Advance {
    /// For each number of bytes, up to where it comes round again: what becomes of each bit.
    powers: Vec<[u8; 8]>,
}

impl Advance {
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

    fn by(&self, crc: u8, bytes: usize) -> u8 {
        let bits = &self.powers[bytes % self.powers.len()];
        (0..8).filter(|bit| crc >> bit & 1 == 1).fold(0, |sum, bit| sum ^ bits[bit])
    }
}
