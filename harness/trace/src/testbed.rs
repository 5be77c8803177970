//! Constants of the testbed in which the recordings were made. The recordings do not contain them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dnsmasq_model::{HwAddr, Network};

/// The placeholder for the recorder in command lines, and its `argv[0]`.
pub(super) const RECORDER: (&str, &[u8]) = ("$RECORDER", b"recorder");
/// The placeholder for the folder that contains the files.
pub(super) const FOLDER: &str = "$GT_DIR";
/// The hardware address of all DHCPv6 clients.
pub(super) const CLIENT6: [u8; 6] = [2, 0, 0, 0, 0, 2];
/// The TFTP client.
pub(super) const TFTP_CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 77, 2));
/// `CLOCK_MONOTONIC` in seconds after a reboot that does not set it.
pub(super) const MONO_AFTER_BOOT: f64 = 20.0;

/// Returns the addresses of dnsmasq's interface: 192.168.77.1/24 and, if it serves DHCPv6, fd77::1/64.
pub(super) fn network(serves_v6: bool) -> Network {
    Network {
        v4: vec![(Ipv4Addr::new(192, 168, 77, 1), 24)],
        v6: if serves_v6 {
            vec![(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1), 64)]
        } else {
            Vec::new()
        },
        mac: [2, 0, 0, 0, 0, 1],
        others: Vec::new(),
    }
}

/// Returns the address of the relay agent of network `n`.
pub(super) fn relay(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 76 + n, 0, 1)
}

/// Returns the hardware address of a DHCPv6 client.
pub(super) fn client6() -> HwAddr {
    HwAddr::ethernet(CLIENT6)
}

/// Replaces every CR LF and lone CR with LF.
pub(super) fn newlines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().peekable();
    while let Some(&byte) = rest.next() {
        if byte == b'\r' {
            rest.next_if(|b| **b == b'\n');
        }
        out.push(if byte == b'\r' { b'\n' } else { byte });
    }
    out
}
