//! Inputs of hostile clients and careless programs. `\xNN` is a byte, as in scenario files.

/// Host names that are invalid, look like options or commands, or contain blanks and line breaks.
pub(super) const HOST_NAMES: [&str; 14] = [
    "*",
    "-n",
    "$(reboot)",
    "`reboot`",
    "a=b",
    "two words",
    r"a\x0ab",
    r"a\x0adnsmasq_lease_192.168.1.77=0 02:bb:00:00:00:77 192.168.1.77 ghost *",
    r"\xff\xfe",
    r"\\x41",
    "192.168.1.1",
    "localhost",
    "%s%n",
    "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN",
];

/// Values of other programs' variables. Those with line breaks forge lines of `show`.
pub(super) const VALUES: [&str; 9] = [
    "1",
    "home network",
    "a=b",
    r"\xff\x80",
    r"x\x0adnsmasq_lease_192.168.1.9=0 02:bb:00:00:00:09 192.168.1.9 ghost *",
    r"x\x0adnsmasq_lease_192.168.1.50=0 02:bb:00:00:00:50 192.168.1.50 thief *\x0ay",
    r"x\x0adnsmasq_lease_duid=duid 00:00:00:00\x0ay",
    r"x\x0adnsmasq_lease_192.168.1.52\x0a",
    r"size: 1 bytes (32768 left)\x0a99 entries, 1 bytes used, 32768 bytes free.\x0a",
];

/// Actions of dnsmasq that do not concern leases, and calls that dnsmasq never makes.
pub(super) const CALLS: [&[&str]; 7] = [
    &["arp-add", "02:aa:00:00:00:01", "192.168.1.50"],
    &["arp-del", "02:aa:00:00:00:01", "192.168.1.50"],
    &["tftp", "65536", "192.168.1.50", "/srv/firmware.bin"],
    &["relay-snoop", "fe80::1", "br0"],
    &["add", "nothex", "192.168.1.99", "ghost"],
    &["add", "02:aa:00:00:00:99", "192.168.1.999", "ghost"],
    &["del", "02:aa:00:00:00:99", "no-address"],
];
