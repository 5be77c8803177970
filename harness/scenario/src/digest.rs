//! Fast non-cryptographic hashes for deduplication and for checksums of texts.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64, xxh3_128};

/// Returns the 128-bit XXH3 hash of bytes. It is the same on every machine.
pub fn of_bytes(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// Returns the XXH3 hash of a text, folded to 32 bits, for ids that people copy.
pub fn checksum(text: &str) -> u32 {
    let wide = xxh3_64(text.as_bytes());
    (wide >> 32) as u32 ^ wide as u32
}

/// Returns the 64-bit XXH3 hash of a value. It depends on the word size and byte order of the machine.
pub fn of(value: &impl Hash) -> u64 {
    let mut hasher = Xxh3Default::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Combines two hashes. The result depends on their order.
pub fn join(a: u128, b: u64) -> u128 {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(&a.to_le_bytes());
    bytes[16..].copy_from_slice(&b.to_le_bytes());
    xxh3_128(&bytes)
}

/// A hasher for keys that are already hashes. It returns the lower half of the key.
#[derive(Clone, Debug, Default)]
pub struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxh3_64(bytes);
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// Builds [`IdentityHasher`]s for hash maps and sets.
pub type BuildIdentityHasher = BuildHasherDefault<IdentityHasher>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_values_have_different_hashes() {
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

    #[test]
    fn checksums_in_ids_do_not_depend_on_the_machine() {
        assert_eq!(checksum("title = \"x\"\n"), 772_796_630);
    }
}
