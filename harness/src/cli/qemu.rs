//! `leaselab qemu`: builds router images, and runs scenarios in guests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Exit, Failure, live, run};
use crate::run_case::Backend;
use qemu::arch::Arch;
use qemu::error::QemuError;
use qemu::guest_config::{EmulationOptions, GuestConfig};
use qemu::guest_pool::GuestPool;
use qemu::image::{self, Image};
use qemu::kvm_probe;
use qemu::machine_file::MachineFile;

/// The arguments of `leaselab qemu`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Build a router image from Debian's packages
    Build(BuildArgs),
    /// Run scenarios in a QEMU guest
    Run(Box<RunArgs>),
}

#[derive(Debug, clap::Args)]
struct BuildArgs {
    /// Architecture of the guest
    #[arg(long, value_name = "ARCH", default_value = "x86_64", value_parser = arch_parser())]
    arch: Arch,
    #[command(flatten)]
    place: Place,
    /// Folder of the new image [default: in the cache]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Use this statically linked emulated nvram instead of building it
    #[arg(long, value_name = "FILE", requires = "lease_update")]
    nvram: Option<PathBuf>,
    /// Use this statically linked lease-update instead of building it
    #[arg(long, value_name = "FILE", requires = "nvram")]
    lease_update: Option<PathBuf>,
    /// Leaselab's sources [default: those that this leaselab was built from]
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(id = "qemu-run")]
struct RunArgs {
    #[command(flatten)]
    run: run::Args,
    /// Architecture of the guest
    #[arg(long, value_name = "ARCH", default_value = "x86_64", value_parser = arch_parser())]
    arch: Arch,
    #[command(flatten)]
    place: Place,
    /// Folder of the image, as `qemu build --out` made it [default: in the cache]
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    built: Option<PathBuf>,
    /// Boot another image, KERNEL[,INITRD][,DISK], as --machine describes
    #[arg(long, value_name = "FILES", requires = "machine")]
    image: Option<String>,
    /// Machine file (TOML): how the image of --image is booted and controlled
    #[arg(long, value_name = "FILE", requires = "image")]
    machine: Option<PathBuf>,
    /// Initial contents of the nvram partition: a dump of the whole partition
    #[arg(long, value_name = "FILE")]
    flash: Option<PathBuf>,
    /// Use KVM if a guest boots with it, else TCG
    #[arg(long)]
    kvm: bool,
    /// Time limit of the first boot, and minimum of the limits of later boots and commands [default: 240]
    #[arg(long, value_name = "SECONDS")]
    boot_limit: Option<u64>,
}

/// The cache.
#[derive(Debug, clap::Args)]
struct Place {
    /// Folder for packages, toolchains and images [default: leaselab in $XDG_CACHE_HOME or ~/.cache]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Place {
    fn cache(&self) -> Result<PathBuf, Failure> {
        if let Some(cache) = &self.cache {
            return Ok(cache.clone());
        }
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")))
            .map(|base| base.join("leaselab"))
            .ok_or_else(|| {
                Failure::Environment("no home directory: name a folder with --cache".to_owned())
            })
    }
}

/// The folder of the image in the cache.
fn default_image(cache: &Path, arch: Arch) -> PathBuf {
    cache.join("images").join(arch.name())
}

/// Parses architectures, and lists them in the help text.
fn arch_parser() -> impl TypedValueParser<Value = Arch> {
    PossibleValuesParser::new(Arch::ALL.map(Arch::name)).try_map(|name| name.parse::<Arch>())
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        Command::Build(args) => build(args),
        Command::Run(args) => play(args),
    }
}

fn build(args: &BuildArgs) -> Result<Exit, Failure> {
    let cache = args.place.cache()?;
    let out = args.out.clone().unwrap_or_else(|| default_image(&cache, args.arch));
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned);
    let options = image::Options {
        cache,
        source: args.source.clone().or(built_from).unwrap_or_default(),
        nvram: args.nvram.clone(),
        lease_update: args.lease_update.clone(),
    };
    let manifest = image::build(args.arch, &options, &out)?;
    let programs = ["busybox-static", "dnsmasq-base", "libc6"];
    anstream::println!("{}: linux {}", out.display(), manifest.kernel);
    for package in manifest.packages.iter().filter(|p| programs.contains(&p.name.as_str())) {
        anstream::println!("  {} {}", package.name, package.version);
    }
    anstream::println!("  nvram, lease-update: {}", manifest.executables);
    for file in &manifest.files {
        anstream::println!("  {} {:>9} bytes  {}", &file.sha256[..16], file.bytes, file.name);
    }
    Ok(Exit::Held)
}

fn play(args: &RunArgs) -> Result<Exit, Failure> {
    let common = &args.run.common;
    if common.target.is_some() || common.no_private_root {
        let why = "`qemu run` runs scenarios in a guest: leave out --target and --no-private-root";
        return Err(Failure::Input(why.to_owned()));
    }
    if let Some(script) = &common.script {
        live::check_script(script, common.shell.is_empty()).map_err(Failure::Environment)?;
    }
    let emulation =
        EmulationOptions { kvm: args.kvm, boot_limit: args.boot_limit.map(Duration::from_secs) };
    let config = match (&args.image, &args.machine) {
        (Some(files), Some(machine)) => {
            MachineFile::read(machine)?.guest_config(files, &emulation)?
        }
        _ => {
            let folder = match &args.built {
                Some(folder) => folder.clone(),
                None => default_image(&args.place.cache()?, args.arch),
            };
            let image = Image::open(args.arch, &folder)?;
            GuestConfig::of_image(&image, &emulation)?
        }
    };
    let config = if args.kvm { kvm_probe::with_working_accelerator(config) } else { config };
    let mut options = args.run.options()?;
    let cases = args.run.cases()?;
    options.arguments.extend(["--arch".to_owned(), args.arch.to_string()]);
    let pool = GuestPool::new(config, args.run.keep.clone());
    if let Some(flash) = &args.flash {
        pool.set_initial_contents(flash)?;
    }
    options.command = &["qemu", "run"];
    let exit = run::run_cases(&args.run, &cases, &options, &Backend::Qemu(pool.clone()))?;
    let session = pool.lock();
    if let Some(audit) = session.sum() {
        anstream::println!(
            "\nerases of {} commits, as QEMU's flash chip saw them and as leaselab counts them; \
             slowest boot {:.1} s",
            audit.commits(),
            session.slowest_boot().as_secs_f64()
        );
        anstream::print!("{audit}");
    }
    Ok(exit)
}

impl From<QemuError> for Failure {
    fn from(error: QemuError) -> Self {
        match error {
            QemuError::Environment(why) => Self::Environment(why),
            QemuError::Input(why) => Self::Input(why),
            QemuError::Guest(why) => Self::Failed(why),
        }
    }
}
