//! The hash chain of a name.

/// Number of chains of every table except DD-WRT's.
const CHAINS: u32 = 257;
/// The multiplier of every hash function except DD-WRT's.
const MULTIPLIER: u32 = 31;

/// How a tool computes the chain of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainRule {
    /// Number of chains (`nvram_hash[257]`).
    pub chains: u32,
    /// `m` of `h = m*h + c`.
    pub multiplier: u32,
    /// `c` of `h = m*h + c` is a signed `char` (MIPS, x86) or an unsigned one (ARM); matters only for names
    /// with non-ASCII bytes.
    pub signed_char: bool,
    /// Size of a pointer where the macro lacks parentheses (OpenWrt: `h % 257*P / P`); 0 for the correct `h % 257`.
    pub unparenthesised_pointer: u32,
}

impl ChainRule {
    /// Broadcom's common nvram.c on MIPS: `hash(name) % ARRAYSIZE(nvram_hash)`, with a correct macro.
    pub const PLAIN: Self = Self {
        chains: CHAINS,
        multiplier: MULTIPLIER,
        signed_char: true,
        unparenthesised_pointer: 0,
    };
    /// Broadcom's common nvram.c on ARM.
    pub const PLAIN_ARM: Self = Self { signed_char: false, ..Self::PLAIN };
    /// DD-WRT's own nvram.c: `static struct nvram_tuple *nvram_hash[1024]`, `hash = 119 * hash + *s++`.
    pub const DDWRT: Self = Self { chains: 1024, multiplier: 119, ..Self::PLAIN };
    /// OpenWrt's nvram.c on 32-bit MIPS: `NVRAM_ARRAYSIZE` without parentheses, so `(h mod 1028) div 4`.
    pub const OPENWRT_MIPS: Self = Self { unparenthesised_pointer: 4, ..Self::PLAIN };
    /// OpenWrt's nvram.c on 32-bit ARM, where `char` is unsigned.
    pub const OPENWRT_ARM: Self = Self { unparenthesised_pointer: 4, ..Self::PLAIN_ARM };

    /// The hash of the whole name (`hash()`, nvram.c): `h = m*h + c` modulo 2^32.
    pub fn hash(self, name: &[u8]) -> u32 {
        let c = |byte: u8| {
            if self.signed_char { i32::from(byte as i8) as u32 } else { u32::from(byte) }
        };
        // Four bytes at a time, since a chain of dependent multiplications would dominate the load of an image.
        let m = self.multiplier;
        let (m2, m3, m4) = (m.wrapping_pow(2), m.wrapping_pow(3), m.wrapping_pow(4));
        let (chunks, rest) = name.as_chunks::<4>();
        let hash = chunks.iter().fold(0u32, |hash, chunk| {
            let high = c(chunk[0]).wrapping_mul(m3).wrapping_add(c(chunk[1]).wrapping_mul(m2));
            let low = c(chunk[2]).wrapping_mul(m).wrapping_add(c(chunk[3]));
            hash.wrapping_mul(m4).wrapping_add(high.wrapping_add(low))
        });
        rest.iter().fold(hash, |hash, &byte| hash.wrapping_mul(m).wrapping_add(c(byte)))
    }

    /// The chain number of a hash, from 0.
    pub fn chain_of(self, hash: u32) -> usize {
        // Division by a constant is about ten times faster.
        let chain = match (self.chains, self.unparenthesised_pointer) {
            (CHAINS, 0) => hash % CHAINS,
            (CHAINS, 4) => hash % (CHAINS * 4) / 4,
            (chains, 0) => hash % chains,
            (chains, size) => hash % (chains * size) / size,
        };
        chain as usize
    }
}
