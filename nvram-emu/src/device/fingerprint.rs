//! A fingerprint of a partition's bytes that follows changes: a torn write costs the bytes that it changed.
//!
//! Multilinear hashing: each word of a page times a factor of its own, added up modulo 2^128, and the sum of each page
//! times one of the page's place. Two partitions collide by chance once in 2^64; it is no defence against forgers.

/// Words of a page.
pub(super) const WORDS: usize = 256;
/// Bytes of one word.
pub(super) const WORD: usize = 8;

static FACTORS: [u128; WORDS] = factors(1);
/// Of the first pages' places.
static PAGE_WEIGHTS: [u128; WORDS] = factors(1 << 32);

const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

const fn factor(seed: u64) -> u128 {
    ((mix(2 * seed) as u128) << 64 | mix(2 * seed + 1) as u128) | 1
}

const fn factors(first: u64) -> [u128; WORDS] {
    let mut factors = [0; WORDS];
    let mut at = 0;
    while at < WORDS {
        factors[at] = factor(first + at as u64);
        at += 1;
    }
    factors
}

/// What the bytes `from..to` of a page add to its sum, rounded outwards to whole words. Those of a range before and
/// after a change differ by the change of the sum.
pub(super) fn of_words(page: &[u8], from: usize, to: usize) -> u128 {
    let (first, end) = (from / WORD, to.div_ceil(WORD));
    let (words, _) = page[first * WORD..end * WORD].as_chunks::<WORD>();
    words.iter().zip(&FACTORS[first..end]).fold(0u128, |sum, (word, factor)| {
        sum.wrapping_add(factor.wrapping_mul(u128::from(u64::from_le_bytes(*word))))
    })
}

/// What the sum of page number `page` is multiplied with.
pub(super) fn page_weight(page: usize) -> u128 {
    PAGE_WEIGHTS.get(page).copied().unwrap_or_else(|| factor((1 << 32) + page as u64))
}
