//! The FLSH image, which every dialect stores in flash.
//!
//! ```text
//!          0        4        8     9    10        12        14        16         20
//!          ┌────────┬────────┬─────┬─────┬─────────┬─────────┬─────────┬──────────┐
//!   header │ "FLSH" │  len   │ crc │ ver │ sdram   │ sdram   │ sdram   │ sdram    │
//!          │        │  u32   │ u8  │  1  │ _init   │ _config │ _refresh│ _ncdl u32│
//!          ├────────┴────────┴─────┴─────┴─────────┴─────────┴─────────┴──────────┤
//!       20 │ name=value NUL   name=value NUL   …   NUL   padding to 4             │ ← len ends here
//!          ├──────────────────────────────────────────────────────────────────────┤
//!      len │ fill: 0xFF (OpenWrt, Padavan) or 0x00 (Broadcom)                     │ ← space ends here
//!          └──────────────────────────────────────────────────────────────────────┘
//!   little endian; crc covers bytes 9..20 and 20..len; entries in the order of the hash chains
//! ```

pub mod crc8;
mod entries;
mod hash;
mod header;
mod image;
mod table;

pub use entries::{Entries, Entry, ScanEnd, ScanMode};
pub use hash::ChainRule;
pub use header::{
    CRC_START, HEADER_LEN, Header, MAGIC, crc_from, crc_of, strtoul, wrapping_strtoul,
};
pub use image::{
    Format, HeaderSource, OutOfBounds, Padding, Parsed, Written, blank_image, find_magic,
    parse_any, serialise,
};
pub use table::{Change, Insert, Table, hex4, hex8};
