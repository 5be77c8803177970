//! `leaselab qemu`: router images, and scenarios in them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Exit, Failure, live, run};
use crate::run_case::Backend;
use qemu::arch::Arch;
use qemu::error::QemuError;
use qemu::foreign::Foreign;
use qemu::guest_pool::GuestPool;
use qemu::image::{self, Image};
use qemu::lab::{Lab, Wishes};

/// The arguments of `leaselab qemu`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a router image out of Debian's packages
    Build(BuildArgs),
    /// Run scenarios in a guest
    Run(Box<RunArgs>),
}

#[derive(Debug, clap::Args)]
struct BuildArgs {
    /// The machine
    #[arg(long, value_enum, default_value = "x86_64")]
    arch: Arch,
    #[command(flatten)]
    place: Place,
    /// Where the image goes; default: the cache
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A static fake nvram for that machine, instead of building it
    #[arg(long, value_name = "FILE", requires = "lease_update")]
    nvram: Option<PathBuf>,
    /// A static lease-update for that machine, instead of building it
    #[arg(long, value_name = "FILE", requires = "nvram")]
    lease_update: Option<PathBuf>,
    /// Leaselab's sources; default: those that this leaselab was built from
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(id = "qemu-run")]
struct RunArgs {
    #[command(flatten)]
    run: run::Args,
    /// The machine
    #[arg(long, value_enum, default_value = "x86_64")]
    arch: Arch,
    #[command(flatten)]
    place: Place,
    /// An image's folder, as `qemu build --out` made it; default: the cache's
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    built: Option<PathBuf>,
    /// Somebody else's image: KERNEL[,INITRD][,DISK]; see --machine
    #[arg(long, value_name = "FILES", requires = "machine")]
    image: Option<String>,
    /// What that image runs on and how it is spoken to, in TOML
    #[arg(long, value_name = "FILE", requires = "image")]
    machine: Option<PathBuf>,
    /// What every router's nvram partition holds at first: a dump of the whole partition
    #[arg(long, value_name = "FILE")]
    flash: Option<PathBuf>,
    /// KVM, if a guest boots with it; else TCG
    #[arg(long)]
    kvm: bool,
    /// How long the first boot may take
    #[arg(long, value_name = "SECONDS")]
    boot_limit: Option<u64>,
}

/// Where packages and images lie.
#[derive(Debug, clap::Args)]
struct Place {
    /// Packages and what was made of them; default: leaselab in $XDG_CACHE_HOME or ~/.cache
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
            .ok_or_else(|| Failure::Environment("no home directory: name a --cache".to_owned()))
    }
}

/// The image of an architecture, where no other place was named.
fn default_image(cache: &Path, arch: Arch) -> PathBuf {
    cache.join("images").join(arch.name())
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
        let why = "a guest is a target of its own: leave out --target and --no-private-root";
        return Err(Failure::Input(why.to_owned()));
    }
    if let Some(script) = &common.script {
        live::check_script(script, common.shell.is_empty()).map_err(Failure::Environment)?;
    }
    let wishes = Wishes { kvm: args.kvm, boot_limit: args.boot_limit.map(Duration::from_secs) };
    let (lab, narrow) = match (&args.image, &args.machine) {
        (Some(files), Some(machine)) => {
            let foreign = Foreign::read(machine)?;
            (foreign.lab(files, &wishes)?, foreign.is_narrow())
        }
        _ => {
            let folder = match &args.built {
                Some(folder) => folder.clone(),
                None => default_image(&args.place.cache()?, args.arch),
            };
            let image = Image::open(args.arch, &folder)?;
            (Lab::of_image(&image, &wishes)?, args.arch == Arch::Mipsel)
        }
    };
    let lab = if args.kvm { lab.probe() } else { lab };
    let mut options = args.run.options()?;
    let cases = args.run.cases()?;
    options.arguments.extend(["--arch".to_owned(), args.arch.to_string()]);
    let pool = GuestPool::new(lab, narrow, args.run.keep.clone());
    if let Some(flash) = &args.flash {
        pool.begin_with(flash)?;
    }
    options.command = &["qemu", "run"];
    let exit = run::run_cases(&args.run, &cases, &options, &Backend::Qemu(pool.clone()))?;
    let session = pool.lock();
    if let Some(ledger) = session.sum() {
        anstream::println!(
            "\nerases by {} commits, as QEMU's flash chip saw them and as leaselab counts them; \
             slowest boot {:.1} s",
            ledger.commits(),
            session.slowest_boot()
        );
        anstream::print!("{ledger}");
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
