//! CRC-8 of a FLSH image: reflected polynomial 0xAB, no final xor (`hndcrc8`, crc.c of the OpenWrt tool).

/// Initial value of every CRC in a FLSH image (`CRC8_INIT_VALUE`).
pub const INIT: u8 = 0xFF;

const POLYNOMIAL: u8 = 0xAB;
const SLICES: usize = 8;

/// `TABLES[k][b]`: the CRC of byte `b` followed by `k` zero bytes.
static TABLES: [[u8; 256]; SLICES] = tables();

const fn tables() -> [[u8; 256]; SLICES] {
    let mut tables = [[0; 256]; SLICES];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        let mut byte = 0;
        while byte < 256 {
            tables[slice][byte] = tables[0][tables[slice - 1][byte] as usize];
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// x^93 is 1 modulo the polynomial, and so is x^(8 * 93): bytes at a distance of 93 contribute equally to the CRC.
const PERIOD: usize = 93;
/// Number of bytes that are folded at once, a multiple of the period.
const FOLD: usize = PERIOD * 16;

/// Continues `crc` over `bytes`.
///
/// Long inputs are first folded to one period with `xor`, which is much faster than a table look-up for each byte.
pub fn update(crc: u8, bytes: &[u8]) -> u8 {
    if bytes.len() < FOLD + PERIOD {
        return by_tables(crc, bytes);
    }
    // The initial value is added to the first byte.
    let (first, whole) = bytes.split_at(bytes.len() % FOLD);
    let mut folded = [0; FOLD];
    let (chunks, _) = whole.as_chunks::<FOLD>();
    for chunk in chunks {
        xor(&mut folded, chunk);
    }
    let offset = FOLD - first.len();
    xor(&mut folded[offset..], first);
    folded[offset % FOLD] ^= crc;
    let mut period = [0; PERIOD];
    let (chunks, _) = folded.as_chunks::<PERIOD>();
    for chunk in chunks {
        xor(&mut period, chunk);
    }
    by_tables(0, &period)
}

fn xor(into: &mut [u8], bytes: &[u8]) {
    for (to, byte) in into.iter_mut().zip(bytes) {
        *to ^= byte;
    }
}

/// Processes eight bytes at a time.
fn by_tables(crc: u8, bytes: &[u8]) -> u8 {
    let (chunks, rest) = bytes.as_chunks::<SLICES>();
    let crc = chunks.iter().fold(crc, |crc, c| {
        TABLES[7][usize::from(crc ^ c[0])]
            ^ TABLES[6][usize::from(c[1])]
            ^ TABLES[5][usize::from(c[2])]
            ^ TABLES[4][usize::from(c[3])]
            ^ TABLES[3][usize::from(c[4])]
            ^ TABLES[2][usize::from(c[5])]
            ^ TABLES[1][usize::from(c[6])]
            ^ TABLES[0][usize::from(c[7])]
    });
    rest.iter().fold(crc, |crc, byte| TABLES[0][usize::from(crc ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_entry_one_equals_the_entry_of_the_real_tool() {
        assert_eq!(TABLES[0][1], 0xF7);
    }

    #[test]
    fn folding_agrees_with_one_byte_at_a_time() {
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i * i * 31 % 251) as u8).collect();
        for len in (0..70).chain([126, 127, 128]).chain(1000..5000) {
            let slow = bytes[..len].iter().fold(INIT, |crc, b| TABLES[0][usize::from(crc ^ b)]);
            assert_eq!(update(INIT, &bytes[..len]), slow, "{len} bytes");
        }
    }
}
