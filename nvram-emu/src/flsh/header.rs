//! The 20-byte header of a FLSH image.

use super::crc8;

/// "FLSH" in little endian (`NVRAM_MAGIC`).
pub const MAGIC: u32 = 0x4853_4C46;
/// Size of the header in bytes.
pub const HEADER_LEN: usize = 20;
/// First header byte that the CRC covers: magic, len and the CRC itself are skipped (`NVRAM_CRC_START_POSITION`).
pub const CRC_START: usize = 9;

const VERSION: u32 = 1;
const SDRAM_INIT: u32 = 0x0419;
const SDRAM_CONFIG: u32 = 0x0000;
const SDRAM_REFRESH: u32 = 0x8040;

/// The five words of the header, as stored (`struct nvram_header`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`MAGIC`] in a valid image.
    pub magic: u32,
    /// Bytes from the start of the header to the rounded-up end of the data.
    pub len: u32,
    /// The CRC-8 in bits 0 to 7, the version in bits 8 to 15, sdram_init in bits 16 to 31.
    pub crc_ver_init: u32,
    /// sdram_config in bits 0 to 15, sdram_refresh in bits 16 to 31.
    pub config_refresh: u32,
    /// The NCDL value of the memory controller (`sdram_ncdl`).
    pub config_ncdl: u32,
}

impl Header {
    /// Parses the header at the start of `bytes`; `None` if there are fewer than 20 bytes.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (words, _) = bytes.get(..HEADER_LEN)?.as_chunks::<4>();
        let word = |i: usize| u32::from_le_bytes(words[i]);
        Some(Self {
            magic: word(0),
            len: word(1),
            crc_ver_init: word(2),
            config_refresh: word(3),
            config_ncdl: word(4),
        })
    }

    /// The 20 bytes of the header in flash.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let words =
            [self.magic, self.len, self.crc_ver_init, self.config_refresh, self.config_ncdl];
        for (at, word) in words.into_iter().enumerate() {
            bytes[at * 4..at * 4 + 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The CRC that the header stores.
    pub fn crc(self) -> u8 {
        self.crc_ver_init as u8
    }

    /// The format version, which is 1 in every known image.
    pub fn version(self) -> u8 {
        (self.crc_ver_init >> 8) as u8
    }

    /// Initial value of the SDRAM controller.
    pub fn sdram_init(self) -> u16 {
        (self.crc_ver_init >> 16) as u16
    }

    /// Configuration of the SDRAM controller.
    pub fn sdram_config(self) -> u16 {
        self.config_refresh as u16
    }

    /// Refresh setting of the SDRAM controller.
    pub fn sdram_refresh(self) -> u16 {
        (self.config_refresh >> 16) as u16
    }

    /// A new header from the four `sdram_*` variables, in the order init, config, refresh, ncdl. If any of them
    /// is missing, all four have their defaults (`nvram_commit`, nvram.c; the defaults of sdinitvals.h and sbsdram.h).
    /// `number` parses a value.
    pub fn from_sdram(values: [Option<&[u8]>; 4], number: fn(&[u8]) -> u32) -> Self {
        let (init, config, refresh, ncdl) = match values {
            [Some(init), Some(config), Some(refresh), Some(ncdl)] => {
                (number(init), number(config), number(refresh), number(ncdl))
            }
            _ => (SDRAM_INIT, SDRAM_CONFIG, SDRAM_REFRESH, 0),
        };
        Self {
            magic: MAGIC,
            len: 0,
            crc_ver_init: VERSION << 8 | (init & 0xFFFF) << 16,
            config_refresh: config & 0xFFFF | (refresh & 0xFFFF) << 16,
            config_ncdl: ncdl,
        }
    }
}

/// The CRC of an image of `len` bytes at the start of `image`: header bytes 9 to 19, then the data. Bytes beyond
/// `image` are ignored.
pub fn crc_of(image: &[u8], len: usize) -> u8 {
    crc_from(image, CRC_START, len)
}

/// [`crc_of`] from byte `start`, for a writer with a different first byte.
pub fn crc_from(image: &[u8], start: usize, len: usize) -> u8 {
    crc8::update(crc8::INIT, image.get(start..len.min(image.len())).unwrap_or_default())
}

/// `strtoul(text, NULL, 0)` of a 32-bit C library: white space, a sign, prefixes 0x and 0, saturation.
pub fn strtoul(text: &[u8]) -> u32 {
    let (digits, radix, negative) = number_parts(text);
    let mut number = 0u32;
    for digit in digits {
        match number.checked_mul(radix).and_then(|n| n.checked_add(digit)) {
            Some(n) => number = n,
            None => return u32::MAX,
        }
    }
    if negative { number.wrapping_neg() } else { number }
}

/// `bcm_strtoul(text, NULL, 0)` of Broadcom's kernels 2.4: as [`strtoul`], modulo 2^32.
pub fn wrapping_strtoul(text: &[u8]) -> u32 {
    let (digits, radix, negative) = number_parts(text);
    let number = digits.fold(0u32, |number, digit| number.wrapping_mul(radix).wrapping_add(digit));
    if negative { number.wrapping_neg() } else { number }
}

/// The digits of a number, its radix, and whether it has a minus sign.
fn number_parts(text: &[u8]) -> (impl Iterator<Item = u32>, u32, bool) {
    let mut rest = text;
    while let [b' ' | b'\t'..=b'\r', tail @ ..] = rest {
        rest = tail;
    }
    let negative = matches!(rest, [b'-', ..]);
    if let [b'-' | b'+', tail @ ..] = rest {
        rest = tail;
    }
    let radix = match rest {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => {
            rest = &rest[2..];
            16
        }
        [b'0', ..] => 8,
        _ => 10,
    };
    let digits = rest.iter().map_while(move |&byte| char::from(byte).to_digit(radix));
    (digits, radix, negative)
}
