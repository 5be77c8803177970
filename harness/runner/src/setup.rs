//! The router as a scenario describes it, before its first boot.

use std::path::Path;

use nvram_emu::device::{Chip, Flash, Geometry};
use nvram_emu::{Dialect, Machine, flsh};

use super::escapes::unescape;
use super::fill::{FillCache, fill, fill_until, put};
pub use super::refusal::{Part, Refusal};
use super::refusal::{refuse, too_small};
use scenario::diagnostics::SourceError;
use scenario::{Case, Router, did_you_mean};

/// Maximum size of an image in bytes where the partition is smaller, so that the error can name both sizes.
const MAX_IMAGE: u64 = 16 << 20;

/// Bytes of the smallest NVRAM that a scenario may ask for.
const MIN_SPACE: u64 = 1024;

/// Makes the router. A relative path of an image starts at `folder`.
///
/// # Errors
/// An unknown dialect or chip, sizes that contradict each other, an image that cannot be read.
pub fn machine(router: &Router, folder: &Path) -> Result<Machine, Refusal> {
    machine_from(router, folder, &mut FillCache::default())
}

/// Like [`machine`], with a cache for routers that differ only in how full their NVRAM is.
///
/// # Errors
/// See [`machine`].
fn machine_from(router: &Router, folder: &Path, cache: &mut FillCache) -> Result<Machine, Refusal> {
    let dialect: Dialect =
        router.dialect.get_ref().parse().map_err(|error: nvram_emu::dialect::UnknownDialect| {
            let names = Dialect::ALL.iter().map(|dialect| dialect.name());
            let near = did_you_mean(router.dialect.get_ref(), names);
            let help = near.map(|name| format!("did you mean `{name}`?"));
            Refusal { help, ..refuse(Part::Dialect, error.to_string()) }
        })?;
    let chip = Chip::by_name(router.chip.get_ref()).ok_or_else(|| {
        let names: Vec<&str> = Chip::ALL.iter().map(|chip| chip.name).collect();
        Refusal {
            help: Some(match did_you_mean(router.chip.get_ref(), names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`? the chips are {}", names.join(", ")),
                None => format!("the chips are {}", names.join(", ")),
            }),
            ..refuse(Part::Chip, format!("unknown chip `{}`", router.chip.get_ref()))
        }
    })?;
    let driver_sets_size = dialect.info().driver_sets_size;
    let whole_blocks = || router.space.0.next_multiple_of(router.erase.0.max(1));
    let partition = match router.partition {
        Some(partition) => partition.0,
        None if driver_sets_size => whole_blocks(),
        None => router.space.0,
    };
    if router.space.0 < MIN_SPACE || partition < router.space.0 {
        let message = format!(
            "invalid size: an NVRAM of {} in a partition of {partition} bytes; expected at least {MIN_SPACE} \
             bytes, and no more than the partition",
            router.space
        );
        return Err(refuse(Part::Nvram, message));
    }
    let largest = u64::from(Geometry::MAX_SIZE);
    if partition > largest {
        let message =
            format!("invalid size: a partition of {partition} bytes; expected at most {largest}");
        return Err(refuse(Part::Nvram, message));
    }
    if router.image.is_none() && router.free.is_none() && router.neighbours.0 > router.space.0 {
        return Err(too_small());
    }
    let space = if driver_sets_size { router.space.0 } else { partition };
    let bytes = match &router.image {
        Some(image) => read_image(&folder.join(image.get_ref()), partition)?,
        None => blank(partition, space),
    };
    let erase = u32::try_from(router.erase.0).unwrap_or(u32::MAX);
    let flash = |bytes: &[u8]| {
        Flash::from_bytes(bytes, erase, chip)
            .map_err(|error| refuse(Part::Nvram, error.to_string()))
    };
    let driver_sets_size = driver_sets_size.then_some(space as u32);
    let mut machine = Machine::new(dialect, flash(&bytes)?, driver_sets_size);
    for (name, value) in &router.variables {
        set(&mut machine, name, value)?;
    }
    if router.image.is_none() {
        match router.free {
            None => fill(&mut machine, router.neighbours.0, cache)?,
            Some(free) => fill_until(&mut machine, free.0, cache)?,
        }
    }
    if machine.ram_bytes().is_some() {
        machine.run(&[b"commit"]);
    }
    // The case starts with a new chip, so that the wear of filling does not count.
    let flash = flash(&machine.flash_bytes())?;
    Ok(Machine::new(dialect, flash, driver_sets_size))
}

/// A partition with an empty NVRAM at its end.
fn blank(partition: u64, space: u64) -> Vec<u8> {
    let mut bytes = vec![0xFF; partition as usize];
    let header = (partition - space) as usize;
    let image = flsh::blank_image();
    bytes[header..header + image.len()].copy_from_slice(&image);
    bytes
}

fn read_image(path: &Path, partition: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = backend::read_bounded(path, partition.max(MAX_IMAGE))
        .map_err(|error| refuse(Part::Image, format!("{}: {error}", path.display())))?;
    if bytes.len() as u64 > partition {
        let message =
            format!("{} bytes do not fit into a partition of {partition} bytes", bytes.len());
        return Err(refuse(Part::Image, message));
    }
    bytes.resize(partition as usize, 0xFF);
    Ok(bytes)
}

fn set(machine: &mut Machine, name: &str, value: &str) -> Result<(), Refusal> {
    let value = unescape(value).map_err(|why| refuse(Part::Nvram, why))?;
    if name.contains('\0') {
        let why =
            format!("{name:?} contains a NUL byte, which the name of a variable cannot contain");
        return Err(refuse(Part::Nvram, why));
    }
    put(machine, name, &value);
    let kept = machine.ram_variables().unwrap_or_default();
    if kept.contains(&(name.as_bytes().to_vec(), value)) { Ok(()) } else { Err(too_small()) }
}

/// The scenario's router, before its first boot.
///
/// # Errors
/// A description that [`machine`] rejects, with its place in the file.
pub fn router(case: &Case) -> Result<Machine, SourceError> {
    router_from(case, &mut FillCache::default())
}

/// Like [`router`], with a cache for routers that differ only in how full their NVRAM is.
///
/// # Errors
/// See [`router`].
pub fn router_from(case: &Case, cache: &mut FillCache) -> Result<Machine, SourceError> {
    let router = &case.scenario.router;
    let folder = case.source.path.parent().unwrap_or(Path::new("."));
    machine_from(router, folder, cache).map_err(|refusal| {
        let span = match refusal.part {
            Part::Dialect => router.dialect.span(),
            Part::Chip => router.chip.span(),
            Part::Image => router.image.as_ref().map_or(0..0, toml::Spanned::span),
            Part::Nvram => case.section("router"),
        };
        let error = case.error(span, refusal.message);
        match refusal.help {
            Some(help) => error.help(help),
            None => error,
        }
    })
}
