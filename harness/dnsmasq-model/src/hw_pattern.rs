//! Hardware addresses with wildcards.

use super::hw_addr::HwAddr;

/// A hardware address of a `--dhcp-host` or `--dhcp-mac`, possibly with `*` octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HwPattern {
    /// The address. Type 0 matches any type.
    pub hw: HwAddr,
    /// One bit per octet, set for `*`. The highest bit belongs to the first octet.
    pub wildcards: u32,
}

/// Returns the number of matching octets plus one, or 0 if one differs (util.c `memcmp_masked`).
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
