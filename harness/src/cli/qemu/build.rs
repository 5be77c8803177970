//! `leaselab qemu build`.

use std::env;
use std::path::{Path, PathBuf};

use crate::cli::options::{Cache, arch_parser};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;
use qemu::arch::Arch;
use qemu::image;

/// The arguments of `leaselab qemu build`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Architecture of the guest
    #[arg(long, value_name = "ARCH", default_value = "x86_64", value_parser = arch_parser())]
    arch: Arch,
    #[command(flatten)]
    cache: Cache,
    /// Where to write the image [default: in the cache]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Static emulated nvram for the guest, instead of building it
    #[arg(long, value_name = "FILE", requires = "lease_update")]
    nvram: Option<PathBuf>,
    /// Static lease-update for the guest, instead of building it
    #[arg(long, value_name = "FILE", requires = "nvram")]
    lease_update: Option<PathBuf>,
    /// Sources of leaselab [default: a folder above this executable or above the current folder]
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let cache = args.cache.folder()?;
    let out = args.out.clone().unwrap_or_else(|| Cache::image(&cache, args.arch));
    backend::create_folder(&out).map_err(|error| CommandError::file(&out, error))?;
    let options = image::Options {
        cache,
        source: args.source.clone().or_else(sources).unwrap_or_default(),
        nvram: args.nvram.clone(),
        lease_update: args.lease_update.clone(),
    };
    let manifest = image::build(args.arch, &options, &out)?;
    let programs = ["busybox-static", "dnsmasq-base", "libc6"];
    outln!("{}: linux {}", out.shown(), manifest.kernel);
    for package in manifest.packages.iter().filter(|p| programs.contains(&p.name.as_str())) {
        outln!("  {} {}", package.name, package.version);
    }
    outln!("  nvram, lease-update: {}", manifest.executables);
    for file in &manifest.files {
        outln!("  {} {:>9} bytes  {}", &file.sha256[..16], file.bytes, file.name);
    }
    Ok(Exit::Passed)
}

/// The sources that this executable lies in, or the current folder. The path of the build is not compiled in, so that all
/// builds of a commit are equal.
fn sources() -> Option<PathBuf> {
    let starts = [env::current_exe(), env::current_dir()];
    let mut folders = starts.iter().flatten().flat_map(|start| start.ancestors());
    folders.find(|folder| folder.join("nvram-emu/Cargo.toml").is_file()).map(Path::to_owned)
}
