//! The router as a scenario describes it, before its first boot.

use std::path::Path;

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Machine, flsh};

use super::text::{free_bytes, unescape};
use scenario::Router;

/// Bytes of one filler variable, `name=value` and its NUL.
const FILLER: u64 = 40;

/// The smallest that still has a value.
const MIN_FILLER: u64 = 16;

/// The smallest NVRAM that there is any use for.
const MIN_SPACE: u64 = 1024;

/// A router that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which part of the description it is about.
    pub part: Part,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Parts of a router's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The dialect.
    Dialect,
    /// The chip.
    Chip,
    /// The image file.
    Image,
    /// Sizes and contents.
    NvramSnapshot,
}

fn refuse(part: Part, message: impl Into<String>) -> Refusal {
    Refusal { part, message: message.into(), help: None }
}

/// A router while it is filled, after every so many neighbours: one that only gets fuller or less full starts there.
#[derive(Debug, Default)]
pub struct FillCache(Vec<Machine>);

impl FillCache {
    /// Neighbours between two states that are kept.
    const STRIDE: u64 = 16;

    /// The last state kept with no more than so many neighbours, and how many there are in it.
    fn nearest(&self, neighbours: u64) -> Option<(&Machine, u64)> {
        let last = self.0.len().checked_sub(1)?;
        let at = last.min((neighbours / Self::STRIDE) as usize);
        Some((&self.0[at], at as u64 * Self::STRIDE))
    }

    /// Keeps a state with so many neighbours, where it is the next to be kept.
    fn keep(&mut self, machine: &Machine, neighbours: u64) {
        if neighbours == self.0.len() as u64 * Self::STRIDE {
            self.0.push(machine.clone());
        }
    }
}

/// Makes the router; `folder` is where a relative image path begins.
///
/// # Errors
/// A dialect or chip that does not exist, sizes that do not fit together, an image that cannot be read.
pub fn machine(router: &Router, folder: &Path) -> Result<Machine, Refusal> {
    machine_from(router, folder, &mut FillCache::default())
}

/// The same with a shelf of routers that differ from this one in nothing but how full they get.
///
/// # Errors
/// As [`machine`].
pub fn machine_from(
    router: &Router,
    folder: &Path,
    shelf: &mut FillCache,
) -> Result<Machine, Refusal> {
    let dialect: Dialect =
        router.dialect.get_ref().parse().map_err(|error: nvram_emu::dialect::UnknownDialect| {
            refuse(Part::Dialect, error.to_string())
        })?;
    let chip = Chip::by_name(router.chip.get_ref()).ok_or_else(|| {
        let names: Vec<&str> = Chip::ALL.iter().map(|chip| chip.name).collect();
        Refusal {
            help: Some(format!("the chips are {}", names.join(", "))),
            ..refuse(Part::Chip, format!("no chip `{}`", router.chip.get_ref()))
        }
    })?;
    let own_space = dialect.info().own_space;
    let whole_blocks = || router.space.0.next_multiple_of(router.erase.0.max(1));
    let partition = match router.partition {
        Some(partition) => partition.0,
        None if own_space => whole_blocks(),
        None => router.space.0,
    };
    if router.space.0 < MIN_SPACE || partition < router.space.0 {
        let message = format!(
            "an NVRAM of {} in a partition of {partition} bytes: at least {MIN_SPACE} bytes, and no more \
             than the partition",
            router.space
        );
        return Err(refuse(Part::NvramSnapshot, message));
    }
    let space = if own_space { router.space.0 } else { partition };
    let bytes = match &router.image {
        Some(image) => read_image(&folder.join(image.get_ref()), partition)?,
        None => blank(partition, space),
    };
    let erase = u32::try_from(router.erase.0).unwrap_or(u32::MAX);
    let flash = |bytes: &[u8]| {
        Flash::from_bytes(bytes, erase, chip)
            .map_err(|error| refuse(Part::NvramSnapshot, error.to_string()))
    };
    let own_space = own_space.then_some(space as u32);
    let mut machine = Machine::new(dialect, flash(&bytes)?, own_space);
    for (name, value) in &router.variables {
        set(&mut machine, name, value)?;
    }
    if router.image.is_none() {
        match router.free {
            None => fill(&mut machine, router.neighbours.0, shelf)?,
            Some(free) => fill_until(&mut machine, free.0, shelf)?,
        }
    }
    if machine.ram_bytes().is_some() {
        machine.run(&[b"commit"]);
    }
    // A new chip: what it took to fill it does not count.
    let flash = flash(&machine.flash_bytes())?;
    Ok(Machine::new(dialect, flash, own_space))
}

/// A partition with an NVRAM at its end that holds no variable.
fn blank(partition: u64, space: u64) -> Vec<u8> {
    let mut bytes = vec![0xFF; partition as usize];
    let header = (partition - space) as usize;
    let image = flsh::blank_image();
    bytes[header..header + image.len()].copy_from_slice(&image);
    bytes
}

fn read_image(path: &Path, partition: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = std::fs::read(path)
        .map_err(|error| refuse(Part::Image, format!("{}: {error}", path.display())))?;
    if bytes.len() as u64 > partition {
        let message = format!("{} bytes do not fit a partition of {partition}", bytes.len());
        return Err(refuse(Part::Image, message));
    }
    bytes.resize(partition as usize, 0xFF);
    Ok(bytes)
}

fn set(machine: &mut Machine, name: &str, value: &str) -> Result<(), Refusal> {
    let value = unescape(value).map_err(|why| refuse(Part::NvramSnapshot, why))?;
    put(machine, name, &value);
    let kept = machine.ram_variables().unwrap_or_default();
    if kept.contains(&(name.as_bytes().to_vec(), value)) { Ok(()) } else { Err(too_small()) }
}

fn put(machine: &mut Machine, name: &str, value: &[u8]) {
    machine.run(&[b"set", &[name.as_bytes(), b"=", value].concat()]);
}

fn too_small() -> Refusal {
    Refusal {
        help: Some("less text, or more space".to_owned()),
        ..refuse(Part::NvramSnapshot, "the NVRAM does not take all that is to be in it")
    }
}

/// Other programs' settings, `bytes` of them: as many of the usual size as fit, and one for the rest.
fn fill(machine: &mut Machine, bytes: u64, shelf: &mut FillCache) -> Result<(), Refusal> {
    let before = machine.ram_variables().map_or(0, |variables| variables.len());
    let whole = (bytes / FILLER).saturating_sub(1);
    let rest = bytes - whole * FILLER;
    let mut first = 0;
    if let Some((nearest, neighbours)) = shelf.nearest(whole) {
        (*machine, first) = (nearest.clone(), neighbours);
    }
    for number in first..whole {
        shelf.keep(machine, number);
        put_filler(machine, number, FILLER);
    }
    let odd = u64::from(rest >= MIN_FILLER);
    if odd == 1 {
        put_filler(machine, whole, rest);
    }
    // At the limit, some tools silently lose what does not fit.
    let after = machine.ram_variables().map_or(0, |variables| variables.len());
    if after < before + (whole + odd) as usize { Err(too_small()) } else { Ok(()) }
}

/// One setting of so many bytes; no two alike.
fn put_filler(machine: &mut Machine, number: u64, bytes: u64) {
    let name = format!("wl0_cfg{number:04}");
    let length = (bytes as usize).saturating_sub(name.len() + 2);
    let letter = |at: usize| b'a' + ((number as usize + at) % 26) as u8;
    put(machine, &name, &(0..length).map(letter).collect::<Vec<u8>>());
}

/// Fills until the tool itself says that `free` bytes are left, or as near below as its rounding allows.
fn fill_until(machine: &mut Machine, free: u64, shelf: &mut FillCache) -> Result<(), Refusal> {
    let left = |machine: &Machine| free_bytes(machine).unwrap_or(0);
    // The first write adds the tools' own variables.
    put_filler(machine, 9_999, FILLER);
    let now = left(machine);
    let Some(surplus) = u64::try_from(now).ok().and_then(|now| now.checked_sub(free)) else {
        let message = format!("only {now} bytes are free to begin with");
        return Err(refuse(Part::NvramSnapshot, message));
    };
    fill(machine, surplus.saturating_sub(4 * FILLER), shelf)?;
    // One more makes up for the rest; rounding to words costs a few bytes more or less.
    let rest = left(machine) - free as i64;
    for bytes in (rest - 8).max(MIN_FILLER as i64)..=rest + 8 {
        let mut trial = machine.clone();
        put_filler(&mut trial, 9_998, bytes as u64);
        if left(&trial) <= free as i64 {
            *machine = trial;
            return Ok(());
        }
    }
    Err(refuse(Part::NvramSnapshot, format!("{free} free bytes cannot be reached")))
}
