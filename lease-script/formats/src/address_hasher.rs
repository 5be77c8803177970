//! A hasher for tables of IPv4 addresses.

use std::hash::Hasher;

/// Hashes IPv4 addresses so that blocks of 64 addresses are distributed, but the addresses of a block stay together. A
/// server assigns consecutive addresses, so the next one is already in the cache.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        // The hash table uses the low bits as the position and the seven high bits as a tag.
        const MARK: u64 = 0x7f << 57;
        let value = self.0 ^ u64::from(value);
        let block = (value >> 6).wrapping_mul(SPREAD);
        let block = (block ^ block >> 32) << 6 | (value & 63);
        self.0 = (block & !MARK) | (value.wrapping_mul(SPREAD) & MARK);
    }
}
