//! A fast fingerprint of flash and RAM, to know a state again. Not against forgers.

use std::hash::{DefaultHasher, Hash, Hasher};

const ODD: [u64; 4] =
    [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0xD6E8_FEB8_6659_FD93];

/// 128 bits of some bytes. Each step is a bijection: images that differ in one word never collide.
pub(super) fn of_bytes(bytes: &[u8]) -> u128 {
    let mut lanes = ODD;
    let mut chunks = bytes.chunks_exact(32);
    for chunk in &mut chunks {
        for (lane, (word, odd)) in lanes.iter_mut().zip(chunk.chunks_exact(8).zip(ODD)) {
            let word = word.try_into().map_or(0, u64::from_le_bytes);
            *lane = (*lane ^ word).wrapping_mul(odd).rotate_left(29);
        }
    }
    for byte in chunks.remainder() {
        lanes[0] = (lanes[0] ^ u64::from(*byte)).wrapping_mul(ODD[0]).rotate_left(29);
    }
    let length = bytes.len() as u64;
    let fold = |a: u64, b: u64| {
        let wide = u128::from(a ^ length) * u128::from(b | 1);
        (wide as u64) ^ (wide >> 64) as u64 ^ a.rotate_left(17) ^ b
    };
    u128::from(fold(lanes[0], lanes[1])) << 64 | u128::from(fold(lanes[2], lanes[3]))
}

/// 64 bits of whatever can be hashed.
pub(super) fn of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
