//! The executables `nvram` and `lease-update` for a guest: given by the user, or built from leaselab's sources.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use backend::read_bounded;
use serde::{Deserialize, Serialize};

use super::options::Options;
use super::packages::{Package, PackageStore, Updates};
use super::sha256::{hex_digest, hex_digest_of_file};
use crate::MAX_INPUT_BYTES;
use crate::arch::Arch;
use crate::error::QemuError;
use crate::tools;

/// The packages of the newest Rust in the Debian release, and libraries that it needs.
const TOOLCHAIN: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "libstd-rust-web-dev",
    "libgit2-1.5",
    "libhttp-parser2.9",
    "libmbedcrypto7",
    "libmbedtls14",
    "libmbedx509-1",
    "libssh2-1",
];

/// The statically linked executables of a guest.
#[derive(Debug)]
pub(super) struct Executables {
    /// The emulated nvram.
    pub(super) nvram: Vec<u8>,
    pub(super) lease_update: Vec<u8>,
    /// What built them, for the manifest.
    pub(super) built_by: String,
    /// The Debian packages that they were built with.
    pub(super) packages: Vec<Package>,
}

/// The executables that the user has given, or new ones.
///
/// # Errors
/// When a file is not for this architecture, there are no sources, or the build fails.
pub(super) fn get(arch: Arch, options: &Options) -> Result<Executables, QemuError> {
    let (nvram, lease_update, built_by, packages) = match (&options.nvram, &options.lease_update) {
        (Some(nvram), Some(lease_update)) => {
            (nvram.clone(), lease_update.clone(), "given".to_owned(), Vec::new())
        }
        (None, None) => {
            let built = build(arch, options)?;
            let path = |name: &str| built.folder.join(name);
            (path("nvram"), path("lease-update"), built.built_by, built.packages)
        }
        _ => {
            return Err(QemuError::Input(
                "--nvram and --lease-update must be given together".to_owned(),
            ));
        }
    };
    let read = |path: &Path| {
        let bytes = read_bounded(path, MAX_INPUT_BYTES).map_err(QemuError::input(path))?;
        check_elf(arch, &bytes)
            .map_err(|why| QemuError::Input(format!("{}: {why}", path.display())))?;
        Ok::<_, QemuError>(bytes)
    };
    let executables = Executables {
        nvram: read(&nvram)?,
        lease_update: read(&lease_update)?,
        built_by,
        packages,
    };
    if arch == Arch::Mipsel {
        test_mipsel_nvram(&nvram)?;
    }
    Ok(executables)
}

/// Why a file is no executable of a guest.
#[derive(Debug, thiserror::Error)]
enum ElfError {
    #[error("not an ELF executable")]
    NotElf,
    #[error("an executable for another architecture than {0}")]
    OtherArchitecture(Arch),
}

/// Rejects a file whose ELF header (`e_machine`) is not that of the architecture.
fn check_elf(arch: Arch, bytes: &[u8]) -> Result<(), ElfError> {
    let machine = bytes.get(18..20).filter(|_| bytes.starts_with(b"\x7fELF"));
    let (wanted, little_32) = match arch {
        Arch::X86_64 => ([62, 0], false),
        Arch::Mipsel => ([8, 0], true),
    };
    match machine {
        None => Err(ElfError::NotElf),
        Some(machine) if machine == wanted && (bytes[4] == 1) == little_32 => Ok(()),
        Some(_) => Err(ElfError::OtherArchitecture(arch)),
    }
}

/// Runs the executable under qemu-user: a variable that one process commits must be read by another.
fn test_mipsel_nvram(nvram: &Path) -> Result<(), QemuError> {
    let qemu = tools::find("qemu-mipsel", "qemu-user")
        .or_else(|_| tools::find("qemu-mipsel-static", "qemu-user-static"))
        .map_err(|_| {
            QemuError::Environment(
                "qemu-mipsel not found: install Debian's package qemu-user".to_owned(),
            )
        })?;
    let folder = scratch::Folder::for_large_files()
        .map_err(QemuError::file(Path::new("a scratch folder")))?;
    let flash = folder.path().join("flash");
    let mut image = vec![0xFF; 0x10000];
    let blank = nvram_emu::flsh::blank_image();
    image[..blank.len()].copy_from_slice(&blank);
    fs::write(&flash, image).map_err(QemuError::file(&flash))?;
    let run = |words: &[&str]| {
        let mut command = Command::new(&qemu);
        command.arg(nvram).args(words).env_clear().env("NVRAM_EMU_FLASH", &flash);
        tools::run(command.env("NVRAM_EMU_STAGING", folder.path().join("staging")))
    };
    run(&["set", "proof=mips"])?;
    run(&["commit"])?;
    let output = run(&["get", "proof"])?;
    if output != b"mips\n" {
        let text = String::from_utf8_lossy(&output).into_owned();
        return Err(QemuError::Guest(format!(
            "{}: under qemu-mipsel, `get proof` prints {text:?} after `set proof=mips`",
            nvram.display()
        )));
    }
    Ok(())
}

/// Builds both executables with cargo, unless the cache has them from the same sources.
fn build(arch: Arch, options: &Options) -> Result<CachedBuild, QemuError> {
    let source = &options.source;
    if !source.join("nvram-emu/Cargo.toml").is_file() {
        return Err(QemuError::Environment(format!(
            "{} does not contain leaselab's sources, from which nvram and lease-update are built: name the \
             executables with --nvram and --lease-update, or the sources with --source",
            source.display()
        )));
    }
    let sources = digest_of_sources(source)?;
    let folder = options.cache.join("executables").join(arch.name());
    if let Some(built) = CachedBuild::read(&folder).filter(|built| built.sources == sources) {
        return Ok(built);
    }
    let target = options.cache.join("cargo").join(arch.name());
    let (built_by, packages) = build_programs(arch, options, &target)?;
    fs::create_dir_all(&folder).map_err(QemuError::file(&folder))?;
    for name in ["nvram", "lease-update"] {
        let from = target.join(arch.rust_target()).join("small").join(name);
        fs::copy(&from, folder.join(name)).map_err(QemuError::file(&from))?;
    }
    let built = CachedBuild { folder, sources, built_by, packages };
    built.write()?;
    Ok(built)
}

/// Executables in the cache, and what they were built from.
#[derive(Debug, Serialize, Deserialize)]
struct CachedBuild {
    #[serde(skip)]
    folder: PathBuf,
    /// Hash of the sources.
    sources: String,
    built_by: String,
    packages: Vec<Package>,
}

impl CachedBuild {
    /// `None` if the folder contains none.
    fn read(folder: &Path) -> Option<Self> {
        let built: Self = serde_json::from_slice(&fs::read(folder.join(DESCRIPTION)).ok()?).ok()?;
        Some(Self { folder: folder.to_owned(), ..built })
    }

    /// Written after the executables, so that an interrupted build does not count.
    fn write(&self) -> Result<(), QemuError> {
        let path = self.folder.join(DESCRIPTION);
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        fs::write(&path, text).map_err(QemuError::file(&path))
    }
}

/// The file that describes the executables in the cache.
const DESCRIPTION: &str = "built.json";

/// A hash of the sources of both executables, and of the versions of their dependencies.
fn digest_of_sources(source: &Path) -> Result<String, QemuError> {
    let mut files = vec![source.join("Cargo.toml"), source.join("Cargo.lock")];
    let mut folders = vec![source.join("nvram-emu"), source.join("lease-script")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(QemuError::file(&folder))?.flatten() {
            let path = entry.path();
            if !path.is_dir() {
                files.push(path);
            } else if !["tests", "benches", "target"].iter().any(|name| path.ends_with(name)) {
                folders.push(path);
            }
        }
    }
    files.sort();
    let mut text = String::new();
    for file in files {
        let digest = hex_digest_of_file(&file).map_err(QemuError::file(&file))?;
        let name = file.strip_prefix(source).unwrap_or(&file);
        _ = writeln!(text, "{} {digest}", name.display());
    }
    Ok(hex_digest(text.as_bytes()))
}

/// Builds with Debian's Rust for musl, and Rust's standard library from source, without code that reports panics and
/// without unwind tables: see "Size" in lease-script/README.md. Returns the version and the packages.
fn build_programs(
    arch: Arch,
    options: &Options,
    target: &Path,
) -> Result<(String, Vec<Package>), QemuError> {
    let (prefix, package) = (arch.cross_prefix(), arch.linker_package());
    let linker = tools::find(&format!("{prefix}ld"), package)?;
    let root = options.cache.join("rust");
    let store = PackageStore::new(&options.cache, "rust", &["amd64"], Updates::Security);
    let mut packages = store.fetch_into(&root, |store| {
        let mut wanted: Vec<String> = TOOLCHAIN.iter().map(|&name| name.to_owned()).collect();
        // The names of these packages contain a version.
        let library = dependency(store, "libstd-rust-web-dev", "libstd-rust-web-")?;
        wanted.push(dependency(store, &library, "libllvm")?);
        wanted.push(library);
        Ok(wanted)
    })?;
    let version = packages.iter().find(|package| package.name == "rustc-web");
    let version = version.map_or_else(String::new, |package| package.version.clone());
    let (library, musl) = c_library(arch, &options.cache)?;
    packages.extend(musl);
    let flags = rust_flags(&linker, &library);
    let command = || {
        let mut command = Command::new(root.join("usr/bin/cargo"));
        command
            .env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"))
            .env("RUSTC", root.join("usr/bin/rustc"))
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_ENCODED_RUSTFLAGS", &flags)
            // Times of 64 bits on 32-bit machines.
            .env("RUST_LIBC_UNSTABLE_MUSL_V1_2_3", "1")
            .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"])
            .args(["-Zpanic-immediate-abort", "--config", "profile.small.panic='immediate-abort'"]);
        command
    };
    // The dependencies of the standard library are downloaded by the first build.
    let mut offline = command();
    offline.arg("--offline");
    cargo_build(offline, arch, &options.source, target)
        .or_else(|_| cargo_build(command(), arch, &options.source, target))?;
    Ok((format!("rustc-web {version}, build-std, musl"), packages))
}

/// The folder of the C library musl, and its package.
fn c_library(arch: Arch, cache: &Path) -> Result<(PathBuf, Vec<Package>), QemuError> {
    let store = PackageStore::new(cache, &format!("musl-{arch}"), &[arch.debian()], Updates::None);
    let root = cache.join("musl").join(arch.name());
    let packages = store.fetch_into(&root, |_| Ok(vec!["musl-dev".to_owned()]))?;
    let folder = root.join("usr/lib").join(format!("{arch}-linux-musl"));
    // Rust's standard library names a library that unwinds the stack, of which nothing is called.
    let unwind = folder.join("libunwind.a");
    fs::write(&unwind, "!<arch>\n").map_err(QemuError::file(&unwind))?;
    Ok((folder, packages))
}

/// The flags of rustc, as in `CARGO_ENCODED_RUSTFLAGS`. The linker is called directly, with musl's start files, because the
/// cross compiler belongs to glibc.
fn rust_flags(linker: &Path, library: &Path) -> String {
    let file = |name: &str| format!("-Clink-arg={}", library.join(name).display());
    [
        "-Ctarget-feature=+crt-static".to_owned(),
        "-Crelocation-model=static".to_owned(),
        "-Cforce-unwind-tables=no".to_owned(),
        format!("-Clinker={}", linker.display()),
        "-Clinker-flavor=ld".to_owned(),
        "-Clink-arg=--strip-all".to_owned(),
        // No empty space between segments. Routers and the guests have pages of 4 KiB.
        "-Clink-arg=-zmax-page-size=4096".to_owned(),
        "-Clink-arg=-znoseparate-code".to_owned(),
        "-Clink-self-contained=no".to_owned(),
        format!("-L{}", library.display()),
        file("crt1.o"),
        file("crti.o"),
        "-Clink-arg=-lc".to_owned(),
        file("crtn.o"),
        // Debian's musl for mipsel uses floating point registers, the target does not.
        "-Clink-arg=--no-warn-mismatch".to_owned(),
    ]
    .join("\x1f")
}

/// The first dependency of a package whose name begins with `prefix`.
fn dependency(store: &PackageStore, package: &str, prefix: &str) -> Result<String, QemuError> {
    let text = store.query(&["depends", package])?;
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with(prefix))
        .map(str::to_owned)
        .ok_or_else(|| {
            QemuError::Environment(format!("Debian's package {package} depends on no {prefix}*"))
        })
}

fn cargo_build(
    mut cargo: Command,
    arch: Arch,
    source: &Path,
    target: &Path,
) -> Result<(), QemuError> {
    // When cargo runs this process, its environment contains variables for that build.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG") || name == "RUSTFLAGS" {
            cargo.env_remove(&name);
        }
    }
    cargo
        .current_dir(source)
        .args(["build", "--quiet", "--locked", "--profile", "small", "--bins"])
        .args(["-p", "nvram-emu", "-p", "lease-script", "--target", arch.rust_target()])
        .arg("--target-dir")
        .arg(target);
    tools::run(&mut cargo).map(|_| ())
}
