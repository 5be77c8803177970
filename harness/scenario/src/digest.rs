//! Fast fingerprints, to know things again. Not against forgers.

use std::hash::{Hash, Hasher};

const ODD: [u64; 4] =
    [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0xD6E8_FEB8_6659_FD93];

fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ (wide >> 64) as u64
}

/// Two multiplying lanes. Each step is a bijection: texts that differ in one word never collide.
#[derive(Clone, Copy)]
struct Lanes(u64, u64);

impl Lanes {
    const START: Self = Self(ODD[2], ODD[3]);

    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(ODD[0]).rotate_left(29);
        self.1 = (self.1 ^ word.rotate_left(32)).wrapping_mul(ODD[1]).rotate_left(31);
    }

    /// Bytes and their number.
    fn text(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last) ^ (bytes.len() as u64).rotate_right(8));
    }

    fn end(self) -> u128 {
        let high = fold(self.0 ^ ODD[3], self.1 | 1) ^ self.1;
        let low = fold(self.1 ^ ODD[2], self.0 | 1) ^ self.0;
        u128::from(high) << 64 | u128::from(low)
    }
}

/// 128 bits of some bytes.
pub fn of_bytes(bytes: &[u8]) -> u128 {
    let mut lanes = Lanes::START;
    lanes.text(bytes);
    lanes.end()
}

/// 64 bits of whatever can be hashed.
pub fn of(value: &impl Hash) -> u64 {
    let mut mixer = Mixer(Lanes::START);
    value.hash(&mut mixer);
    mixer.finish()
}

/// 128 bits of two fingerprints, in this order.
pub fn join(a: u128, b: u64) -> u128 {
    let (high, low) = ((a >> 64) as u64, a as u64);
    let first = fold(high ^ b, ODD[0]) ^ low.rotate_left(23);
    let second = fold(low ^ b.rotate_left(32), ODD[1]) ^ high.rotate_left(41);
    u128::from(first) << 64 | u128::from(second)
}

/// A hasher of two multiplying lanes.
struct Mixer(Lanes);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        (self.0.end() >> 64) as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.text(bytes);
    }

    fn write_u64(&mut self, word: u64) {
        self.0.word(word);
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word as u64);
    }

    fn write_u128(&mut self, word: u128) {
        self.write_u64(word as u64);
        self.write_u64((word >> 64) as u64);
    }
}

/// A hasher for keys that are fingerprints already.
#[derive(Clone, Debug, Default)]
pub struct Known(u64);

impl Hasher for Known {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= of_bytes(bytes) as u64;
    }

    fn write_u128(&mut self, word: u128) {
        self.0 = word as u64;
    }

    fn write_u64(&mut self, word: u64) {
        self.0 ^= word;
    }
}

/// Builds [`Known`].
pub type ByKey = std::hash::BuildHasherDefault<Known>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_has_other_fingerprints() {
        let texts: Vec<Vec<u8>> = (0..200_usize)
            .flat_map(|n| [vec![0xFF; n], vec![0; n + 1], n.to_le_bytes().to_vec()])
            .collect();
        let mut seen = std::collections::HashMap::new();
        for text in &texts {
            for key in [of_bytes(text), u128::from(of(text))] {
                assert!(seen.insert(key, text).is_none_or(|other| other == text), "{text:?}");
            }
        }
        assert_ne!(join(1, 2), join(2, 1));
    }
}
