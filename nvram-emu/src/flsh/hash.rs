//! Which of the 257 hash chains a name belongs to.

/// Number of hash chains, in every dialect (`nvram_hash[257]`).
pub const CHAINS: usize = 257;

/// How a tool turns a name into a chain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainRule {
    /// `c` of `h = 31*h + c` is a signed `char` (MIPS, x86) or not (ARM); only names beyond ASCII differ.
    pub signed_char: bool,
    /// Size of a pointer where the macro lacks its parentheses (OpenWrt: `h % 257*P / P`); 0: the plain `h % 257`.
    pub unparenthesised_pointer: u32,
}

impl ChainRule {
    /// Broadcom's common nvram.c on MIPS: `hash(name) % ARRAYSIZE(nvram_hash)`, the macro correct.
    pub const PLAIN: Self = Self { signed_char: true, unparenthesised_pointer: 0 };
    /// OpenWrt's nvram.c on 32-bit MIPS: `NVRAM_ARRAYSIZE` without parentheses, so `(h mod 1028) div 4`.
    pub const OPENWRT_MIPS: Self = Self { signed_char: true, unparenthesised_pointer: 4 };
    /// The same on 32-bit ARM, where `char` is unsigned.
    pub const OPENWRT_ARM: Self = Self { signed_char: false, unparenthesised_pointer: 4 };

    /// The hash of the whole name (`hash()`, nvram.c): `h = 31*h + c` modulo 2^32.
    pub fn hash(self, name: &[u8]) -> u32 {
        name.iter().fold(0u32, |hash, &byte| {
            let c = if self.signed_char { i32::from(byte as i8) as u32 } else { u32::from(byte) };
            hash.wrapping_mul(31).wrapping_add(c)
        })
    }

    /// The chain of a hash, 0 to 256.
    pub fn chain_of(self, hash: u32) -> usize {
        let chains = CHAINS as u32;
        let chain = match self.unparenthesised_pointer {
            0 => hash % chains,
            size => hash % (chains * size) / size,
        };
        chain as usize
    }
}
