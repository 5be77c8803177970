//! A fingerprint of a partition's bytes that follows changes: a torn write costs the bytes that it changed.
//!
//! Multilinear hashing: each word of a block times a factor of its own, added up modulo 2^128. Two partitions
//! collide by chance once in 2^64; it is no defence against forgers.

/// Words that share one row of factors; longer blocks go on in the next row, multiplied once more.
const ROW: usize = 1024;
/// Bytes of one word.
const WORD: usize = 8;

static FACTORS: [u128; ROW] = factors();

const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const fn factor(seed: u64) -> u128 {
    ((mix(2 * seed) as u128) << 64 | mix(2 * seed + 1) as u128) | 1
}

const fn factors() -> [u128; ROW] {
    let mut factors = [0; ROW];
    let mut at = 0;
    while at < ROW {
        factors[at] = factor(at as u64 + 1);
        at += 1;
    }
    factors
}

/// What the bytes `from..to` of block number `number` add to the sum, rounded outwards to whole words. Those of
/// a range before and after a change differ by the change of the sum.
pub(super) fn of_range(block: &[u8], number: u32, from: usize, to: usize) -> u128 {
    let mut total = 0u128;
    let (mut word, end) = (from / WORD, to.div_ceil(WORD));
    while word < end {
        let row = word / ROW;
        let stop = end.min((row + 1) * ROW);
        let bytes = &block[word * WORD..(stop * WORD).min(block.len())];
        let (words, rest) = bytes.as_chunks::<WORD>();
        let mut sum = 0u128;
        let factors = &FACTORS[word % ROW..];
        for (bytes, factor) in words.iter().zip(factors) {
            let value = u128::from(u64::from_le_bytes(*bytes));
            sum = sum.wrapping_add(factor.wrapping_mul(value));
        }
        if let Some(factor) = factors.get(words.len()).filter(|_| !rest.is_empty()) {
            let mut last = [0; WORD];
            last[..rest.len()].copy_from_slice(rest);
            sum = sum.wrapping_add(factor.wrapping_mul(u128::from(u64::from_le_bytes(last))));
        }
        let place = factor(u64::from(number) << 32 | row as u64 | 1 << 31);
        total = total.wrapping_add(place.wrapping_mul(sum));
        word = stop;
    }
    total
}
