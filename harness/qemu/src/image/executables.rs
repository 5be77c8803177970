//! `nvram` and `lease-update` for a guest: given, or built from this project's sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Options;
use super::packages::{Package, Store};
use crate::arch::Arch;
use crate::error::QemuError;
use crate::tools;

/// Debian's newest Rust in the release, and what it needs that a machine may lack.
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

/// The static executables of a guest.
#[derive(Debug)]
pub(super) struct Executables {
    /// The fake nvram.
    pub(super) nvram: Vec<u8>,
    /// The lease script as an executable.
    pub(super) lease_update: Vec<u8>,
    /// What they were made with, for the manifest.
    pub(super) made_by: String,
    /// The packages among that.
    pub(super) packages: Vec<Package>,
}

/// Takes the executables that were given, or builds them.
///
/// # Errors
/// A file that is not for this architecture; no sources, no compiler.
pub(super) fn get(arch: Arch, options: &Options) -> Result<Executables, QemuError> {
    let (nvram, lease_update, made_by, packages) = match (&options.nvram, &options.lease_update) {
        (Some(nvram), Some(lease_update)) => {
            (nvram.clone(), lease_update.clone(), "given".to_owned(), Vec::new())
        }
        (None, None) => {
            let (folder, made_by, packages) = build(arch, options)?;
            (folder.join("nvram"), folder.join("lease-update"), made_by, packages)
        }
        _ => return Err(QemuError::Input("--nvram and --lease-update go together".to_owned())),
    };
    let read = |path: &Path| {
        let bytes = fs::read(path).map_err(QemuError::input(path))?;
        fits(arch, &bytes).map_err(|why| QemuError::Input(format!("{}: {why}", path.display())))?;
        Ok::<_, QemuError>(bytes)
    };
    let executables =
        Executables { nvram: read(&nvram)?, lease_update: read(&lease_update)?, made_by, packages };
    if arch == Arch::Mipsel {
        prove(&nvram)?;
    }
    Ok(executables)
}

/// Whether the ELF header is that of the architecture (e_machine).
fn fits(arch: Arch, bytes: &[u8]) -> Result<(), String> {
    let machine = bytes.get(18..20).filter(|_| bytes.starts_with(b"\x7fELF"));
    let (wanted, little_32) = match arch {
        Arch::X86_64 => ([62, 0], false),
        Arch::Mipsel => ([8, 0], true),
    };
    match machine {
        None => Err("no ELF executable".to_owned()),
        Some(machine) if machine == wanted && (bytes[4] == 1) == little_32 => Ok(()),
        Some(_) => Err(format!("an executable of another architecture than {arch}")),
    }
}

/// Runs the MIPS executable under qemu-user: it must keep a variable over two processes.
fn prove(nvram: &Path) -> Result<(), QemuError> {
    let qemu = tools::find("qemu-mipsel", "qemu-user")
        .or_else(|_| tools::find("qemu-mipsel-static", "qemu-user-static"))
        .map_err(|_| {
            QemuError::Environment(
                "qemu-mipsel is not here: install Debian's package qemu-user".to_owned(),
            )
        })?;
    let folder = tempfile::tempdir().map_err(QemuError::file(Path::new("a scratch folder")))?;
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
            "{}: under qemu-mipsel, `get` gives {text:?} for what `set` was given as \"mips\"",
            nvram.display()
        )));
    }
    Ok(())
}

/// Builds both with cargo; the folder with them, and by what.
fn build(arch: Arch, options: &Options) -> Result<(PathBuf, String, Vec<Package>), QemuError> {
    let source = &options.source;
    if !source.join("nvram-emu/Cargo.toml").is_file() {
        return Err(QemuError::Environment(format!(
            "{} holds no sources of leaselab to build nvram and lease-update from: name them with \
             --nvram and --lease-update, or the sources with --source",
            source.display()
        )));
    }
    let target = options.cache.join("cargo").join(arch.name());
    match arch {
        Arch::X86_64 => {
            let cargo = tools::find("cargo", "cargo")?;
            cargo_build(Command::new(&cargo), arch, source, &target)?;
            let version = tools::run(Command::new(&cargo).arg("--version"))?;
            let version = String::from_utf8_lossy(&version).trim().to_owned();
            Ok((folder(&target, arch), version, Vec::new()))
        }
        Arch::Mipsel => {
            let compiler =
                tools::find("mipsel-linux-gnu-gcc", "gcc-mipsel-linux-gnu libc6-dev-mipsel-cross")?;
            // Where it has no such file, it prints the bare name.
            let start = tools::run(Command::new(compiler).arg("-print-file-name=crt1.o"))?;
            if start == b"crt1.o\n" {
                return Err(QemuError::Environment(
                    "the C library for mipsel is not here: install Debian's package \
                     libc6-dev-mipsel-cross (apt-get install libc6-dev-mipsel-cross)"
                        .to_owned(),
                ));
            }
            let root = options.cache.join("rust");
            let store = Store::new(&options.cache, "rust", &["amd64"], true);
            let packages = store.fetch(|store| {
                let mut wanted: Vec<String> = TOOLCHAIN.iter().map(|&n| n.to_owned()).collect();
                // Their names carry versions.
                wanted.extend(dependencies(store, "libstd-rust-web-dev", "libstd-rust-web-")?);
                let library = wanted.last().cloned().unwrap_or_default();
                wanted.extend(dependencies(store, &library, "libllvm")?);
                Ok(wanted)
            })?;
            if !root.join("usr/bin/cargo").is_file() {
                store.unpack(&packages, &root)?;
            }
            let lib = root.join("usr/lib/x86_64-linux-gnu");
            let command = |offline: bool| {
                let mut command = Command::new(root.join("usr/bin/cargo"));
                command
                    .env("LD_LIBRARY_PATH", &lib)
                    .env("RUSTC", root.join("usr/bin/rustc"))
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_MIPSEL_UNKNOWN_LINUX_GNU_LINKER", "mipsel-linux-gnu-gcc")
                    .arg("-Zbuild-std=std,panic_abort");
                if offline {
                    command.arg("--offline");
                }
                command
            };
            // What the standard library is made of comes over the network once.
            cargo_build(command(true), arch, source, &target)
                .or_else(|_| cargo_build(command(false), arch, source, &target))?;
            let version = packages.iter().find(|package| package.name == "rustc-web");
            let version = version.map_or_else(String::new, |package| package.version.clone());
            Ok((folder(&target, arch), format!("rustc-web {version}, build-std"), packages))
        }
    }
}

fn dependencies(store: &Store, package: &str, prefix: &str) -> Result<Vec<String>, QemuError> {
    let text = store.ask(&["depends", package])?;
    let names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    let first = names.filter(|name| name.starts_with(prefix)).map(str::to_owned).next();
    first.map(|name| vec![name]).ok_or_else(|| {
        QemuError::Environment(format!("{package} depends on no {prefix}…: another release?"))
    })
}

fn folder(target: &Path, arch: Arch) -> PathBuf {
    target.join(arch.rust_target()).join("small")
}

fn cargo_build(
    mut cargo: Command,
    arch: Arch,
    source: &Path,
    target: &Path,
) -> Result<(), QemuError> {
    let flags =
        format!("CARGO_TARGET_{}_RUSTFLAGS", arch.rust_target().to_uppercase().replace('-', "_"));
    // A cargo that runs us hands down variables that are meant for its own build.
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
        .arg(target)
        .env(flags, "-Ctarget-feature=+crt-static");
    if arch == Arch::X86_64 {
        cargo.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTC");
    }
    tools::run(&mut cargo).map(|_| ())
}
