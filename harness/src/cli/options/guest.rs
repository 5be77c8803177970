//! Which guest `qemu run` boots.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::error::CommandError;
use crate::words::Words;
use qemu::arch::Arch;
use qemu::guest_config::{EmulationOptions, GuestConfig};
use qemu::guest_pool::GuestPool;
use qemu::image::Image;
use qemu::kvm_probe;
use qemu::machine_file::MachineFile;

/// The default of `--arch`.
const DEFAULT_ARCH: Arch = Arch::X86_64;

/// Parses architectures, and lists them in the help text.
pub(in crate::cli) fn arch_parser() -> impl TypedValueParser<Value = Arch> {
    PossibleValuesParser::new(Arch::ALL.map(Arch::name)).try_map(|name| name.parse::<Arch>())
}

/// Where packages and images are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct Cache {
    /// Folder for packages and images [default: leaselab in $XDG_CACHE_HOME or ~/.cache]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Cache {
    /// The folder.
    ///
    /// # Errors
    /// Without a home directory there is no default.
    pub(in crate::cli) fn folder(&self) -> Result<PathBuf, CommandError> {
        if let Some(cache) = &self.cache {
            return Ok(cache.clone());
        }
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        set("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")))
            .map(|base| base.join("leaselab"))
            .ok_or_else(|| CommandError::Environment("no home directory: set --cache".to_owned()))
    }

    /// The folder of the image for an architecture.
    pub(in crate::cli) fn image(cache: &Path, arch: Arch) -> PathBuf {
        cache.join("images").join(arch.name())
    }
}

/// The guest that runs a case.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct GuestOptions {
    /// Architecture of the guest
    #[arg(long, value_name = "ARCH", default_value_t = DEFAULT_ARCH, value_parser = arch_parser())]
    arch: Arch,
    #[command(flatten)]
    cache: Cache,
    /// Folder of an image that `qemu build --out` wrote [default: the one in the cache]
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    built: Option<PathBuf>,
    /// Foreign image: KERNEL[,INITRD][,DISK]; see --machine
    #[arg(long, value_name = "FILES", requires = "machine")]
    image: Option<String>,
    /// Machine file (TOML): how a foreign image is booted and controlled
    #[arg(long, value_name = "FILE", requires = "image")]
    machine: Option<PathBuf>,
    /// Initial contents of every router's nvram partition: a dump of the whole partition
    #[arg(long, value_name = "FILE")]
    flash: Option<PathBuf>,
    /// Use KVM if a guest boots with it, otherwise TCG
    #[arg(long)]
    kvm: bool,
    /// Time limit of the first boot, and minimum of the limits of later boots and commands [default: 240]
    #[arg(long, value_name = "SECONDS")]
    boot_limit: Option<u64>,
}

impl Default for GuestOptions {
    fn default() -> Self {
        Self {
            arch: DEFAULT_ARCH,
            cache: Cache::default(),
            built: None,
            image: None,
            machine: None,
            flash: None,
            kvm: false,
            boot_limit: None,
        }
    }
}

impl GuestOptions {
    /// A pool of guests with these options. None is booted yet, except to test KVM.
    ///
    /// # Errors
    /// An image that cannot be read, or a machine without QEMU.
    pub(in crate::cli) fn pool(&self, keep: Option<PathBuf>) -> Result<GuestPool, CommandError> {
        let emulation = EmulationOptions {
            kvm: self.kvm,
            boot_limit: self.boot_limit.map(Duration::from_secs),
        };
        let config = match (&self.image, &self.machine) {
            (Some(files), Some(machine)) => MachineFile::read(machine, &self.cache.folder()?)?
                .guest_config(files, &emulation)?,
            _ => {
                let folder = match &self.built {
                    Some(folder) => folder.clone(),
                    None => Cache::image(&self.cache.folder()?, self.arch),
                };
                let image = Image::open(self.arch, &folder)?;
                GuestConfig::of_image(&image, &emulation)?
            }
        };
        let config = if self.kvm { kvm_probe::with_working_accelerator(config) } else { config };
        let pool = GuestPool::new(config, keep);
        if let Some(flash) = &self.flash {
            pool.set_initial_contents(flash)?;
        }
        Ok(pool)
    }

    /// The options as words of a command line.
    pub(in crate::cli) fn add_to(&self, words: &mut Words) {
        words.option("--arch", Some(self.arch).filter(|arch| *arch != DEFAULT_ARCH));
        words.path("--cache", self.cache.cache.as_deref());
        words.path("--built", self.built.as_deref());
        words.option("--image", self.image.as_ref());
        words.path("--machine", self.machine.as_deref());
        words.path("--flash", self.flash.as_deref());
        words.flag("--kvm", self.kvm);
        words.option("--boot-limit", self.boot_limit);
    }
}
