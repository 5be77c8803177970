//! Hardware addresses as dnsmasq stores and prints them.

use std::fmt;

use super::hex::hex_text;

/// `ARPHRD_ETHER`.
pub const ETHER: u16 = 1;
/// `DHCP_CHADDR_MAX`: the maximum length of a hardware address in bytes.
pub(crate) const CHADDR_MAX: usize = 16;

/// A hardware address with its ARP type: `hwaddr`, `hwaddr_len` and `hwaddr_type` of a lease.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HwAddr {
    bytes: [u8; CHADDR_MAX],
    len: u16,
    /// ARP hardware type; 1 for Ethernet.
    pub kind: u16,
}

impl HwAddr {
    /// Creates an address of the given ARP type, truncated to 16 bytes.
    #[must_use]
    pub fn new(kind: u16, bytes: &[u8]) -> HwAddr {
        let len = bytes.len().min(CHADDR_MAX);
        let mut own = [0; CHADDR_MAX];
        own[..len].copy_from_slice(&bytes[..len]);
        HwAddr { bytes: own, len: len as u16, kind }
    }

    /// Creates a six-byte Ethernet address.
    #[must_use]
    pub fn ethernet(bytes: [u8; 6]) -> HwAddr {
        HwAddr::new(ETHER, &bytes)
    }

    /// Returns the "illegal value" of a lease that has no hardware address yet: its length is 256 (lease.c,
    /// `lease_allocate`).
    pub(crate) fn illegal() -> HwAddr {
        HwAddr { bytes: [0; CHADDR_MAX], len: 256, kind: 0 }
    }

    /// Returns the address bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(CHADDR_MAX)]
    }

    /// Returns whether the address has no bytes (IEEE1394, InfiniBand).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Formats the address as helper.c (`create_helper`) and lease.c (`lease_update_file`) print it: lower-case
    /// hexadecimal with colons, with a type prefix unless it is a non-empty Ethernet address.
    #[must_use]
    pub fn text(&self) -> String {
        use fmt::Write as _;
        let mut out = String::with_capacity(20);
        if self.kind != ETHER || self.len == 0 {
            let _ = write!(out, "{:02x}-", self.kind);
        }
        out.push_str(&hex_text(self.bytes()));
        if usize::from(self.len) > CHADDR_MAX {
            // The loop over the bytes ends before the last one.
            out.push(':');
        }
        out
    }
}

impl fmt::Debug for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}
