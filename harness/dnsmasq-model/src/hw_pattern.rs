//! Hardware addresses with wildcards.

use super::hw_addr::HwAddr;

/// A hardware address of a `--dhcp-host` or `--dhcp-mac`, possibly with `*` octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HwPattern {
    /// The address; type 0 matches any.
    pub hw: HwAddr,
    /// One bit per octet, which is set for `*`. The highest bit is that of the first octet.
    pub wildcards: u32,
}

/// util.c `memcmp_masked`: the number of matching octets plus one; 0 if one differs.
pub(crate) fn matching_octets(pattern: &HwPattern, hw: &HwAddr) -> usize {
    let (own, theirs) = (pattern.hw.bytes(), hw.bytes());
    if own.len() != theirs.len() || !(pattern.hw.kind == hw.kind || pattern.hw.kind == 0) {
        return 0;
    }
    let mut count = 1;
    for (i, (a, b)) in own.iter().zip(theirs).enumerate() {
        if pattern.wildcards >> (own.len() - 1 - i) & 1 == 0 {
            if a != b {
                return 0;
            }
            count += 1;
        }
    }
    count
}
