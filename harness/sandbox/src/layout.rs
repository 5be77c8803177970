//! Which folders of a router survive a reboot, and what they contain initially.

use std::path::{Component, Path};

use crate::file_tree::{FileTree, Node};
use crate::octets::Octets;

/// The mount point of leaselab's scratch folder in the sandbox.
pub const HARNESS: &str = "/.leaselab";

/// The folder of the sandbox in which the machine's `/etc` and `/usr/sbin` are mounted, which the router replaces with its
/// own.
pub const MACHINE: &str = "/.machine";

/// The folder of the sandbox that contains all persistent folders. Each of them is also mounted at its own path.
pub(crate) const PERSISTENT: &str = ".persistent";

/// The mount point of the script's folder in the sandbox.
pub(crate) const SCRIPT: &str = ".script";

/// The program in the folder `bin` of the scratch folder that represents the router's init system.
pub const SERVICE: &str = "service";

/// The file with dnsmasq's process id. On Debian, DD-WRT and Tomato, dnsmasq writes it. The agent has this id.
const PID_FILE: (&str, &str) = ("run/dnsmasq.pid", "1\n");

/// The `leaselab` executable in the scratch folder.
pub const LEASELAB: &str = "bin/leaselab";

/// The subfolder of the scratch folder that contains the router's files in RAM.
pub const RAM_FOLDER: &str = "ram";

/// The router's folders in RAM. Persistent folders below `/var` are mounted over it.
pub(crate) const RAM: [&str; 3] = ["tmp", "run", "var"];

/// The folders that survive a reboot unless a scenario names others.
///
/// `/jffs` is the flash file system of Tomato and Asuswrt-Merlin, `/etc` is writable on OpenWrt, Debian keeps
/// dnsmasq's leases in `/var/lib/misc`, and by the Filesystem Hierarchy Standard `/var/tmp` survives a reboot.
pub const PERSISTENT_FOLDERS: [&str; 4] = ["/etc", "/jffs", "/var/lib/misc", "/var/tmp"];

/// Entries of the machine's `/etc` that programs need and that reveal nothing about the machine.
const SHARED_IN_ETC: [&str; 5] =
    ["alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "terminfo"];

/// Checks that a folder can be persistent.
///
/// # Errors
/// Returns the reason as a message for the user.
pub fn check_persistent_folder(path: &str) -> Result<(), String> {
    let valid = path.len() > 1
        && path.starts_with('/')
        && !path.ends_with('/')
        && !path.contains('\0')
        && Path::new(path).components().skip(1).all(|part| matches!(part, Component::Normal(_)));
    if !valid {
        return Err(format!(
            "invalid persistent folder {path:?}: expected an absolute path without `..`, for example \"/jffs\""
        ));
    }
    let first = path.split('/').nth(1).unwrap_or_default();
    if matches!(first, "tmp" | "run" | "proc" | "sys" | "dev" | ".leaselab" | ".machine") {
        return Err(format!(
            "invalid persistent folder {path:?}: /{first} never survives a reboot; expected another folder, for example \
             \"/jffs\""
        ));
    }
    Ok(())
}

/// Returns the contents of a persistent folder before the first boot. `/etc` has the few files that programs need. All other
/// folders are empty.
pub fn first_files(path: &str) -> FileTree {
    let mut files = FileTree::default();
    if path != "/etc" {
        return files;
    }
    let mut add = |name: &str, node| files.0.insert(Octets(name.as_bytes().to_vec()), node);
    add(
        "passwd",
        Node::file("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    );
    add("group", Node::file("root:x:0:\nnogroup:x:65534:\n"));
    add("hosts", Node::file("127.0.0.1 localhost\n"));
    add("nsswitch.conf", Node::file("passwd: files\ngroup: files\nhosts: files\n"));
    add("init.d", Node::folder());
    add("init.d/dnsmasq", Node::link(&format!("{HARNESS}/bin/{SERVICE}")));
    for name in SHARED_IN_ETC {
        if Path::new("/etc").join(name).exists() {
            add(name, Node::link(&format!("{MACHINE}/etc/{name}")));
        }
    }
    files
}

/// Returns the files in RAM after a boot: empty folders, links, and the file with dnsmasq's process id. `persistent` are the
/// persistent folders. Mount points for those that lie below a folder in RAM are included.
pub fn fresh_ram<'p>(persistent: impl Iterator<Item = &'p str> + Clone) -> FileTree {
    let mut ram = FileTree::default();
    let mut add = |name: &str, node| ram.0.insert(Octets(name.as_bytes().to_vec()), node);
    for name in ["run", "run/lock", "var", "var/cache", "var/lib", "var/log", "var/spool"] {
        add(name, Node::folder());
    }
    add("tmp", Node::Folder(0o1777));
    add(PID_FILE.0, Node::file(PID_FILE.1));
    add("var/run", Node::link("/run"));
    add("var/lock", Node::link("/run/lock"));
    if persistent.clone().all(|folder| folder != "/var/tmp") {
        add("var/tmp", Node::link("/tmp"));
    }
    for folder in persistent.filter(|folder| folder.starts_with("/var/")) {
        let folder = &folder[1..];
        for (at, _) in folder.match_indices('/').skip(1) {
            add(&folder[..at], Node::folder());
        }
        add(folder, Node::folder());
    }
    ram
}

/// Returns the parent folders of a path and the path itself, each relative to the root.
pub fn parents(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_start_matches('/');
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.map(move |at| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_cannot_be_persistent_are_refused_with_a_reason() {
        for path in PERSISTENT_FOLDERS {
            assert_eq!(check_persistent_folder(path), Ok(()));
        }
        for path in ["", "/", "jffs", "/jffs/", "/a/../b", "/tmp/x", "/run", "/proc", "/a\0b"] {
            assert!(check_persistent_folder(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn mount_points_below_ram_are_part_of_fresh_ram() {
        let ram = fresh_ram(["/jffs", "/var/lib/misc/leases"].into_iter());
        let has = |name: &str| ram.0.contains_key(&Octets(name.as_bytes().to_vec()));
        assert!(has("var/lib/misc") && has("var/lib/misc/leases") && has("var/tmp"));
        assert!(!has("jffs"));
    }
}
