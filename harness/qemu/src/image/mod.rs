//! Router images made of Debian's packages: `kernel`, `initrd` and a manifest of what went in.

pub(crate) mod cpio;
mod executables;
mod initrd;
mod kernel;
mod packages;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::arch::Arch;
use super::error::QemuError;
pub use packages::Package;
use packages::{Store, hex};

/// What every image is made of besides the kernel; libraries that dnsmasq turns out not to need stay out.
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

/// How an image is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// Packages, toolchains and what they were made into.
    pub cache: PathBuf,
    /// This project's sources.
    pub source: PathBuf,
    /// Instead of building it: the static fake nvram.
    pub nvram: Option<PathBuf>,
    /// Instead of building it: the static lease script.
    pub lease_update: Option<PathBuf>,
}

/// A file of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name in the image's folder.
    pub name: String,
    /// SHA-256, in hex.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
}

/// What went into an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The architecture.
    pub arch: String,
    /// The kernel's version.
    pub kernel: String,
    /// What nvram and lease-update were made by.
    pub executables: String,
    /// The image's files, and the executables in it.
    pub files: Vec<File>,
    /// Debian's packages in it.
    pub packages: Vec<Package>,
    /// Debian's packages that it was made with.
    pub tools: Vec<Package>,
}

/// An image on disk.
#[derive(Clone, Debug)]
pub struct Image {
    /// The architecture.
    pub arch: Arch,
    /// The kernel.
    pub kernel: PathBuf,
    /// The root.
    pub initrd: PathBuf,
}

impl Image {
    /// The image in a folder that [`build`] made, its hashes checked.
    ///
    /// # Errors
    /// None there, or not as it was made.
    pub fn open(arch: Arch, folder: &Path) -> Result<Self, QemuError> {
        let manifest = folder.join("manifest.json");
        let text = fs::read(&manifest).map_err(|error| {
            QemuError::Input(format!(
                "{}: {error}: build the image first: leaselab qemu build --arch {arch}",
                manifest.display()
            ))
        })?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| {
            QemuError::Input(format!("{}: {error}: build the image again", manifest.display()))
        })?;
        if manifest.arch != arch.name() {
            return Err(QemuError::Input(format!(
                "{} holds an image for {}, and {arch} is wanted: see --arch",
                folder.display(),
                manifest.arch
            )));
        }
        for file in manifest.files.iter().filter(|file| !file.name.contains('/')) {
            let path = folder.join(&file.name);
            let bytes = fs::read(&path).map_err(QemuError::input(&path))?;
            if hex(&Sha256::digest(bytes)) != file.sha256 {
                return Err(QemuError::Input(format!(
                    "{} is not what the manifest says: build the image again",
                    path.display()
                )));
            }
        }
        Ok(Self { arch, kernel: folder.join("kernel"), initrd: folder.join("initrd") })
    }
}

/// Builds an image into `out`.
///
/// # Errors
/// Something that the machine lacks (named), or that the packages do.
pub fn build(arch: Arch, options: &Options, out: &Path) -> Result<Manifest, QemuError> {
    fs::create_dir_all(&options.cache).map_err(QemuError::file(&options.cache))?;
    let cache = fs::canonicalize(&options.cache).map_err(QemuError::file(&options.cache))?;
    let options = &Options { cache, ..options.clone() };
    let executables = executables::get(arch, options)?;
    let packages = fetch(arch, &options.cache)?;
    let (programs, tools): (Vec<Package>, Vec<Package>) = packages.into_iter().partition(is_inside);
    let work = tempfile::Builder::new()
        .prefix("image-")
        .tempdir_in(&options.cache)
        .map_err(QemuError::file(&options.cache))?;
    let root = work.path().join("root");
    let store = store(arch, &options.cache);
    store.unpack(&programs, &root)?;
    store.unpack(&tools, &root)?;
    let module = kernel::flash_module(arch, &root, work.path())?;
    let kernel = kernel::unpacked(arch, &root, work.path())?;
    let initrd = initrd::build(&root, &module, &executables)?;
    let file = |name: &str, bytes: &[u8]| File {
        name: name.to_owned(),
        sha256: hex(&Sha256::digest(bytes)),
        bytes: bytes.len() as u64,
    };
    let manifest = Manifest {
        arch: arch.name().to_owned(),
        kernel: kernel::version(&root)?,
        executables: executables.made_by.clone(),
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
    fs::create_dir_all(out).map_err(QemuError::input(out))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        backend::write_whole(&path, bytes).map_err(QemuError::input(&path))
    };
    write("kernel", &kernel)?;
    write("initrd", &initrd)?;
    write("manifest.json", &serde_json::to_vec_pretty(&manifest).unwrap_or_default())?;
    Ok(manifest)
}

/// Whether a package's files go into the image, rather than into its making.
fn is_inside(package: &Package) -> bool {
    package.name.starts_with("linux-image") || PROGRAMS.contains(&package.name.as_str())
}

fn store(arch: Arch, cache: &Path) -> Store {
    match arch {
        Arch::X86_64 => Store::new(cache, arch.name(), &["amd64"], false),
        // The headers' host programs are those of the machine that builds.
        Arch::Mipsel => Store::new(cache, arch.name(), &["mipsel", "amd64"], false),
    }
}

/// The packages of an image: kernel, headers, programs.
fn fetch(arch: Arch, cache: &Path) -> Result<Vec<Package>, QemuError> {
    store(arch, cache).fetch(|store| {
        let debian = arch.debian();
        let text = store.ask(&["depends", &format!("{}:{debian}", arch.kernel_package())])?;
        let kernel = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: linux-image-"))
            .map(|rest| rest.split([':', ' ']).next().unwrap_or_default().to_owned())
            .next()
            .ok_or_else(|| {
                QemuError::Environment(format!("{} names no kernel", arch.kernel_package()))
            })?;
        let shown = store.ask(&["show", &format!("linux-image-{kernel}:{debian}")])?;
        let version = shown.lines().find_map(|line| line.strip_prefix("Version: "));
        let version = version.unwrap_or_default().trim().to_owned();
        let flavour = arch.kernel_package().trim_start_matches("linux-image");
        let common = kernel.strip_suffix(flavour).unwrap_or(&kernel);
        // The tools that build modules are named after the kernel's series.
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
