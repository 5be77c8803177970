//! The root file system of a router image: busybox, dnsmasq with its libraries, kernel modules, and files of leaselab.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cpio::Cpio;
use super::executables::Executables;
use super::kernel;
use super::openwrt;
use crate::error::QemuError;
use crate::tools;

/// Files of leaselab in every image: path, mode, contents.
const OWN: &[(&str, u32, &str)] = &[
    ("init", 0o755, include_str!("../../guest/init")),
    ("usr/sbin/nvram", 0o755, include_str!("../../guest/nvram")),
    ("usr/sbin/lease_update.sh", 0o755, include_str!("../../../../lease-script/lease_update.sh")),
    ("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
    ("etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n"),
    ("etc/hosts", 0o644, "127.0.0.1 localhost\n"),
    // Without it the resolver tries name services that the image does not contain.
    ("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files\n"),
];

const FOLDERS: &[&str] = &["proc", "sys", "dev", "tmp", "var/run", "sbin", "root", "etc"];

/// The contents that do not come from packages or executables.
pub(super) fn own_inputs() -> impl Iterator<Item = &'static str> {
    OWN.iter()
        .flat_map(|(path, _, text)| [*path, *text])
        .chain(FOLDERS.iter().copied())
        .chain(openwrt::own_inputs())
}

/// Builds the archive from packages that were unpacked below `root`.
///
/// # Errors
/// When the packages lack a file.
pub(super) fn build(
    root: &Path,
    module: &[u8],
    executables: &Executables,
) -> Result<Vec<u8>, QemuError> {
    let mut archive = Cpio::default();
    for folder in FOLDERS {
        archive.folder(folder);
    }
    archive.device("dev/console", 5, 1);
    archive.device("dev/null", 1, 3);
    let read = |path: &Path| fs::read(path).map_err(QemuError::file(path));
    let busybox = read(&root.join("bin/busybox"))?;
    archive.file("bin/busybox", 0o755, &busybox);
    openwrt::add(&mut archive, &busybox)?;
    archive.link("bin/sh", "busybox");
    let dnsmasq = root.join("usr/sbin/dnsmasq");
    archive.file("usr/sbin/dnsmasq", 0o755, &read(&dnsmasq)?);
    let (libraries, loader) = libraries(root, &dnsmasq)?;
    for (name, path) in &libraries {
        archive.file(&format!("lib/{name}"), 0o755, &read(path)?);
    }
    let loader = loader.trim_start_matches('/');
    if !loader.is_empty() && !loader.starts_with("lib/") {
        let name = loader.rsplit('/').next().unwrap_or_default();
        archive.link(loader, &format!("/lib/{name}"));
    }
    let modules = kernel::modules(root)?;
    let mut order = |list: &str, modules: &[(String, PathBuf)], last: &str| {
        let mut names = String::new();
        for (name, path) in modules {
            archive.file(&format!("lib/modules/{name}.ko"), 0o644, &read(path)?);
            _ = writeln!(names, "{name}");
        }
        archive.file(&format!("lib/modules/{list}"), 0o644, (names + last).as_bytes());
        Ok::<_, QemuError>(())
    };
    order("order", &modules.always, "flash\n")?;
    order("openwrt-order", &modules.openwrt, "")?;
    archive.file("lib/modules/flash.ko", 0o644, module);
    archive.file("usr/lib/leaselab/nvram", 0o755, &executables.nvram);
    archive.file("usr/sbin/lease-update", 0o755, &executables.lease_update);
    for (path, mode, text) in OWN {
        archive.file(path, *mode, text.as_bytes());
    }
    Ok(archive.finish())
}

/// The libraries that a program needs, directly or through others, and the path of its loader.
fn libraries(
    root: &Path,
    program: &Path,
) -> Result<(BTreeMap<String, PathBuf>, String), QemuError> {
    let readelf = tools::find("readelf", "binutils")?;
    let mut folders = Vec::new();
    for base in ["lib", "usr/lib"] {
        let base = root.join(base);
        let entries = fs::read_dir(&base).map_err(QemuError::file(&base))?.flatten();
        folders.extend(
            entries
                .map(|e| e.path())
                .filter(|path| path.is_dir() && path.to_string_lossy().ends_with("-linux-gnu")),
        );
    }
    let mut found = BTreeMap::new();
    let mut loader = String::new();
    let mut remaining = vec![program.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(path) = remaining.pop() {
        let output = tools::run(Command::new(&readelf).args(["-dlW"]).arg(&path))?;
        for line in String::from_utf8_lossy(&output).lines() {
            let inside = |line: &str, end: char| {
                line.rsplit_once(['[', ':'])
                    .map(|(_, name)| name.trim().trim_end_matches(end).to_owned())
            };
            if line.contains("interpreter:") && loader.is_empty() {
                loader = inside(line, ']').unwrap_or_default();
                remaining.extend(locate(&folders, &base_name(&loader), &mut found, &mut seen)?);
            } else if line.contains("(NEEDED)") {
                let name = inside(line, ']').unwrap_or_default();
                remaining.extend(locate(&folders, &name, &mut found, &mut seen)?);
            }
        }
    }
    Ok((found, loader))
}

fn base_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn locate(
    folders: &[PathBuf],
    name: &str,
    found: &mut BTreeMap<String, PathBuf>,
    seen: &mut BTreeSet<String>,
) -> Result<Option<PathBuf>, QemuError> {
    if !seen.insert(name.to_owned()) {
        return Ok(None);
    }
    let path = folders.iter().map(|folder| folder.join(name)).find(|path| path.exists());
    let path = path.ok_or_else(|| {
        QemuError::Environment(format!(
            "dnsmasq needs the library {name}, which none of the downloaded packages contains"
        ))
    })?;
    found.insert(name.to_owned(), path.clone());
    Ok(Some(path))
}
