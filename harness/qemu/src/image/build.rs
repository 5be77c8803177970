//! Builds images.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::executables::{self, Executables};
use super::manifest::{File, Image, Manifest};
use super::options::Options;
use super::packages::{Package, PackageStore, Updates};
use super::sha256::hex_digest;
use super::{initrd, kernel};
use crate::arch::Arch;
use crate::error::QemuError;

/// Version of the images' layout. Images of another version are built again.
const FORMAT: u32 = 2;

/// The Debian packages of every image besides the kernel. Of the libraries, an image contains only those that dnsmasq
/// needs.
const PROGRAMS: &[&str] = &[
    "busybox-static",
    "dnsmasq-base",
    "libc6",
    "libdbus-1-3",
    "libgmp10",
    "libhogweed6",
    "libidn2-0",
    "libnetfilter-conntrack3",
    "libnettle8",
    "libnftables1",
    "libnftnl11",
    "libmnl0",
    "libxtables12",
    "libjansson4",
    "libedit2",
    "libtinfo6",
    "libbsd0",
    "libmd0",
    "libunistring2",
    "libsystemd0",
    "libcap2",
    "liblzma5",
    "libzstd1",
    "liblz4-1",
    "libgcrypt20",
    "libgpg-error0",
    "libgcc-s1",
    "libnfnetlink0",
];

/// Builds an image into the folder `out`, unless it contains one with the same inputs already.
///
/// # Errors
/// When a tool is not installed, packages cannot be downloaded, or a build fails.
pub fn build(arch: Arch, options: &Options, out: &Path) -> Result<Manifest, QemuError> {
    fs::create_dir_all(&options.cache).map_err(QemuError::file(&options.cache))?;
    let cache = fs::canonicalize(&options.cache).map_err(QemuError::file(&options.cache))?;
    let options = &Options { cache, ..options.clone() };
    let executables = executables::get(arch, options)?;
    let packages = fetch(arch, &options.cache)?;
    let (programs, tools): (Vec<Package>, Vec<Package>) =
        packages.into_iter().partition(is_in_image);
    let inputs = inputs(arch, &executables, &programs, &tools);
    if let Some(manifest) = up_to_date(arch, out, &inputs) {
        return Ok(manifest);
    }
    let work = scratch::Folder::new_in(&options.cache).map_err(QemuError::file(&options.cache))?;
    let root = work.path().join("root");
    let store = store(arch, &options.cache);
    store.unpack(&programs, &root)?;
    store.unpack(&tools, &root)?;
    let module = kernel::flash_module(arch, &root, work.path())?;
    let kernel = kernel::unpacked(arch, &root, work.path())?;
    let initrd = initrd::build(&root, &module, &executables)?;
    let file = |name: &str, bytes: &[u8]| File {
        name: name.to_owned(),
        sha256: hex_digest(bytes),
        bytes: bytes.len() as u64,
    };
    let manifest = Manifest {
        inputs,
        arch: arch.name().to_owned(),
        kernel: kernel::version(&root)?,
        executables: executables.built_by.clone(),
        files: vec![
            file("kernel", &kernel),
            file("initrd", &initrd),
            file("usr/lib/leaselab/nvram", &executables.nvram),
            file("usr/sbin/lease-update", &executables.lease_update),
            file("lib/modules/flash.ko", &module),
        ],
        packages: programs,
        tools: [tools, executables.packages].concat(),
    };
    fs::create_dir_all(out.join("programs")).map_err(QemuError::input(out))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        backend::write_atomically(&path, bytes).map_err(QemuError::input(&path))
    };
    write("kernel", &kernel)?;
    write("initrd", &initrd)?;
    // For guests of other images, which machine files describe.
    let busybox = root.join("bin/busybox");
    write("programs/nvram", &executables.nvram)?;
    write("programs/lease-update", &executables.lease_update)?;
    write("programs/busybox", &fs::read(&busybox).map_err(QemuError::file(&busybox))?)?;
    write("manifest.json", &serde_json::to_vec_pretty(&manifest).unwrap_or_default())?;
    Ok(manifest)
}

/// A hash of everything that an image depends on.
fn inputs(
    arch: Arch,
    executables: &Executables,
    programs: &[Package],
    tools: &[Package],
) -> String {
    let mut text = format!(
        "{FORMAT} {arch} {} {}",
        hex_digest(&executables.nvram),
        hex_digest(&executables.lease_update)
    );
    for package in programs.iter().chain(tools) {
        _ = write!(text, " {}", package.sha256);
    }
    for own in initrd::own_inputs().chain(kernel::own_inputs()) {
        _ = write!(text, " {}", hex_digest(own.as_bytes()));
    }
    hex_digest(text.as_bytes())
}

/// The manifest of the image in `out`, if it has these inputs and its files are unchanged.
fn up_to_date(arch: Arch, out: &Path, inputs: &str) -> Option<Manifest> {
    let manifest = Manifest::read(arch, out).ok()?;
    (manifest.inputs == inputs && Image::open(arch, out).is_ok()).then_some(manifest)
}

/// Whether the image contains files of a package; else it is only built with it.
fn is_in_image(package: &Package) -> bool {
    package.name.starts_with("linux-image") || PROGRAMS.contains(&package.name.as_str())
}

fn store(arch: Arch, cache: &Path) -> PackageStore {
    match arch {
        Arch::X86_64 => PackageStore::new(cache, arch.name(), &["amd64"], Updates::None),
        // The programs in the kernel headers' packages run on the host.
        Arch::Mipsel => PackageStore::new(cache, arch.name(), &["mipsel", "amd64"], Updates::None),
    }
}

/// Downloads the packages of an image: kernel, headers, programs.
fn fetch(arch: Arch, cache: &Path) -> Result<Vec<Package>, QemuError> {
    store(arch, cache).fetch(|store| {
        let debian = arch.debian();
        let text = store.query(&["depends", &format!("{}:{debian}", arch.kernel_package())])?;
        let kernel = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: linux-image-"))
            .map(|rest| rest.split([':', ' ']).next().unwrap_or_default().to_owned())
            .next()
            .ok_or_else(|| {
                QemuError::Environment(format!(
                    "{} depends on no linux-image package",
                    arch.kernel_package()
                ))
            })?;
        let shown = store.query(&["show", &format!("linux-image-{kernel}:{debian}")])?;
        let version = shown.lines().find_map(|line| line.strip_prefix("Version: "));
        let version = version.unwrap_or_default().trim().to_owned();
        let flavour = arch.kernel_package().trim_start_matches("linux-image");
        let common = kernel.strip_suffix(flavour).unwrap_or(&kernel);
        // The package with the tools that build modules is named after the kernel's series.
        let mut parts = kernel.split(['.', '-']);
        let series =
            format!("{}.{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut wanted = vec![
            format!("linux-image-{kernel}:{debian}"),
            format!("linux-headers-{kernel}:{debian}"),
            format!("linux-headers-{common}-common"),
            format!("linux-kbuild-{series}:amd64={version}"),
        ];
        wanted.extend(PROGRAMS.iter().map(|name| format!("{name}:{debian}")));
        Ok(wanted)
    })
}
