//! The hashes that determine where the search for a free address starts (dhcp.c `address_allocate`, dhcp6.c
//! `address6_allocate`).

use super::rules::{AddressHash, Rules};

/// Hashes a hardware address as a release with this rule does.
pub(crate) fn hash4(bytes: &[u8], hash: AddressHash) -> u32 {
    match hash {
        AddressHash::Sum => bytes.iter().fold(0, |j: u32, &byte| {
            let byte = u32::from(byte);
            j.wrapping_add(byte).wrapping_add(byte << 8).wrapping_add(byte << 16)
        }),
        AddressHash::AccumulatedSdbm => bytes
            .iter()
            .fold(0, |j: u32, &byte| u32::from(byte).wrapping_add(j << 6).wrapping_add(j << 16)),
        AddressHash::Sdbm => address_hash(bytes),
    }
}

/// Returns the SDBM hash of a hardware address, which determines where the search for a free address starts (dhcp.c
/// `address_allocate`).
#[must_use]
pub fn address_hash(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0u32, |j, &byte| {
        u32::from(byte).wrapping_add(j << 6).wrapping_add(j << 16).wrapping_sub(j)
    });
    hash.max(1)
}

/// Returns the hash that determines where the search for a free IA_NA address starts (dhcp6.c `address6_allocate`).
#[must_use]
pub(crate) fn address_hash6(iaid: u32, duid: &[u8]) -> u64 {
    duid.iter().fold(u64::from(iaid), |j, &byte| {
        u64::from(byte).wrapping_add(j << 6).wrapping_add(j << 16).wrapping_sub(j)
    })
}

/// Hashes an IAID and a DUID as a release with these rules does.
pub(crate) fn hash6(iaid: u32, duid: &[u8], rules: &Rules) -> u64 {
    let iaid = if rules.hashes_iaid { iaid } else { 0 };
    match rules.address_hash {
        AddressHash::Sdbm => address_hash6(iaid, duid),
        AddressHash::AccumulatedSdbm | AddressHash::Sum => {
            duid.iter().fold(u64::from(iaid), |j, &byte| {
                u64::from(byte).wrapping_add(j << 6).wrapping_add(j << 16)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_hardware_address_gives_the_recorded_address() {
        // 02:aa:00:00:00:01 got 192.168.77.173 out of .50 to .199.
        assert_eq!(50 + address_hash(&[2, 0xaa, 0, 0, 0, 1]) % 150, 173);
    }

    #[test]
    fn the_hash_of_a_duid_gives_the_recorded_address() {
        // This DUID with IAID 1 got fd77::1f2e out of fd77::1000 to fd77::1fff.
        let duid = [0, 3, 0, 1, 2, 0xaa, 0, 0, 0, 1];
        assert_eq!(0x1000 + address_hash6(1, &duid) % 0x1000, 0x1f2e);
    }
}
