//! The choice of an address for a DHCPv4 client (dhcp.c `address_allocate`).

use std::net::Ipv4Addr;

use super::address_hash::hash4;
use super::request4::Request4;
use super::tag_list::{EmptyList, match_tags};
use super::v4::extended_hwaddr;

/// Finds a free address, starting at the hash of the hardware address and counting upwards (dhcp.c `address_allocate`).
/// `epochs` counts, for each range, how often one of its addresses was declined.
pub(crate) fn allocate(request: &Request4<'_>, epochs: &mut [u32]) -> Option<Ipv4Addr> {
    let id = extended_hwaddr(&request.client.hw, request.clid);
    if id.is_empty() {
        return None;
    }
    let db = &request.process.db;
    let hash = hash4(id, db.rules().address_hash);
    let sequential = request.process.config.sequential;
    let skips_declined = sequential && db.rules().sequential_skips_declined;
    for empty in [EmptyList::DoesNotMatch, EmptyList::Matches] {
        for context in &request.contexts {
            let range = context.range;
            if range.is_static || !match_tags(&range.filter, &request.tags, empty) {
                continue;
            }
            let (first, last) = (range.start.to_bits(), range.end.to_bits());
            let size = u64::from(last - first) + 1;
            let start = if sequential {
                let highest = db.newest_first().filter_map(super::Lease::v4).map(Ipv4Addr::to_bits);
                highest.filter(|a| *a > first && *a <= last).max().unwrap_or(first)
            } else {
                let epoch = epochs.get(context.index).copied().unwrap_or(0);
                first + (u64::from(hash.wrapping_add(epoch)) % size) as u32
            };
            for step in 0..size {
                let addr =
                    Ipv4Addr::from_bits(first + ((u64::from(start - first) + step) % size) as u32);
                // Addresses ending in .0 and .255 of a class C network confuse Windows.
                let class_c = (192..=223).contains(&addr.octets()[0]);
                let is_avoided = db.rules().avoids_windows_addresses
                    && class_c
                    && matches!(addr.octets()[3], 0 | 255);
                if !is_avoided
                    && !request.contexts.iter().any(|c| c.router == Some(addr))
                    && db.find_by_addr(addr).is_none()
                    && request.process.directory.find_by_addr(addr).is_none()
                {
                    let declined = epochs.get_mut(context.index).filter(|count| **count != 0);
                    match declined {
                        Some(count) if skips_declined => *count -= 1,
                        _ => return Some(addr),
                    }
                }
            }
        }
    }
    None
}
