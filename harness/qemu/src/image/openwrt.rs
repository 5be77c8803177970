//! What turns an image into an imitation of an OpenWrt image, if it is booted with `lab.openwrt`
//! (`harness/qemu/guest/openwrt/init`).

use super::applets;
use super::cpio::Cpio;
use crate::error::QemuError;

/// The folder of the imitation in an image. The files below its `root` are copied to the root at boot.
const FOLDER: &str = "usr/lib/leaselab/openwrt";

/// Files: path, mode, contents.
const FILES: &[(&str, u32, &str)] = &[
    ("init", 0o755, include_str!("../../guest/openwrt/init")),
    ("root/sbin/procd", 0o755, include_str!("../../guest/openwrt/procd")),
    ("root/sbin/ujail", 0o755, include_str!("../../guest/openwrt/ujail")),
    ("root/sbin/uci", 0o755, include_str!("../../guest/openwrt/uci")),
    ("root/sbin/hotplug-call", 0o755, include_str!("../../guest/openwrt/hotplug-call")),
    ("root/usr/sbin/nvram", 0o755, include_str!("../../guest/openwrt/nvram")),
    ("root/bin/ubus", 0o755, include_str!("../../guest/openwrt/ubus")),
    ("root/bin/opkg", 0o755, include_str!("../../guest/openwrt/opkg")),
    ("root/usr/bin/apk", 0o755, include_str!("../../guest/openwrt/apk")),
    ("root/etc/rc.common", 0o755, include_str!("../../guest/openwrt/rc.common")),
    ("root/etc/init.d/dnsmasq", 0o755, include_str!("../../guest/openwrt/dnsmasq.init")),
    ("root/etc/config/dhcp", 0o644, include_str!("../../guest/openwrt/dhcp.config")),
    (
        "root/usr/lib/dnsmasq/dhcp-script-18.06.sh",
        0o755,
        include_str!("../../guest/openwrt/dhcp-script-18.06.sh"),
    ),
    (
        "root/usr/lib/dnsmasq/dhcp-script-23.05.sh",
        0o755,
        include_str!("../../guest/openwrt/dhcp-script-23.05.sh"),
    ),
];

/// The applets of OpenWrt's busybox that Debian's has, too.
const APPLETS: &[&str] = &[
    "[",
    "[[",
    "ash",
    "awk",
    "basename",
    "brctl",
    "bunzip2",
    "busybox",
    "bzcat",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "chroot",
    "clear",
    "cmp",
    "cp",
    "crond",
    "crontab",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "dmesg",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "find",
    "free",
    "grep",
    "gunzip",
    "gzip",
    "halt",
    "head",
    "hexdump",
    "hostname",
    "hwclock",
    "id",
    "ifconfig",
    "insmod",
    "ip",
    "kill",
    "killall",
    "less",
    "ln",
    "logger",
    "login",
    "ls",
    "lsmod",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mkswap",
    "mktemp",
    "mount",
    "mv",
    "nc",
    "netstat",
    "nice",
    "nslookup",
    "passwd",
    "pidof",
    "ping",
    "ping6",
    "pivot_root",
    "poweroff",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "reboot",
    "reset",
    "rm",
    "rmdir",
    "rmmod",
    "route",
    "sed",
    "seq",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "start-stop-daemon",
    "strings",
    "switch_root",
    "sync",
    "sysctl",
    "tail",
    "tar",
    "tee",
    "test",
    "time",
    "top",
    "touch",
    "tr",
    "traceroute",
    "traceroute6",
    "true",
    "udhcpc",
    "umount",
    "uname",
    "uniq",
    "uptime",
    "vi",
    "wc",
    "which",
    "xargs",
    "yes",
    "zcat",
];

/// The applets in a jail: what the shell has built in, and `cat`.
const JAIL_APPLETS: &[&str] =
    &["[", "[[", "ash", "cat", "echo", "false", "kill", "printf", "pwd", "sh", "test", "true"];

/// The contents that do not come from packages.
pub(super) fn own_inputs() -> impl Iterator<Item = &'static str> {
    let files = FILES.iter().flat_map(|(path, _, text)| [*path, *text]);
    files.chain(APPLETS.iter().copied()).chain(JAIL_APPLETS.iter().copied())
}

/// Adds the imitation to an image with this busybox.
///
/// # Errors
/// When the busybox has no table of applets.
pub(super) fn add(archive: &mut Cpio, busybox: &[u8]) -> Result<(), QemuError> {
    for (path, mode, text) in FILES {
        archive.file(&format!("{FOLDER}/{path}"), *mode, text.as_bytes());
    }
    for (name, keep) in [("busybox", APPLETS), ("busybox-jail", JAIL_APPLETS)] {
        let fewer = applets::keep_only(busybox, keep).ok_or_else(|| {
            QemuError::Environment("the package busybox-static has no table of applets".to_owned())
        })?;
        archive.file(&format!("{FOLDER}/{name}"), 0o755, &fewer);
    }
    Ok(())
}
