//! Fills an NVRAM with other programs' variables, up to a size or until a number of bytes is free.

use nvram_emu::Machine;

use super::free_space::free_bytes;
use super::refusal::{Part, Refusal, refuse, too_small};

/// Bytes of a filler variable: `name=value` and its NUL.
const FILLER: u64 = 40;

/// Bytes of the smallest filler variable that has a value.
const MIN_FILLER: u64 = 16;

/// Maximum number of bytes of filler variables: the time that a `set` takes grows with the contents of the NVRAM.
const MAX_FILL: u64 = 1 << 20;

/// Copies of a router taken while its NVRAM was filled, every `STRIDE` variables.
///
/// A router that differs only in how full it is starts from the nearest copy.
#[derive(Debug, Default)]
pub struct FillCache(Vec<Machine>);

impl FillCache {
    /// Variables between two copies.
    const STRIDE: u64 = 16;

    /// The fullest copy with at most `variables` filler variables, and its number of them.
    fn nearest(&self, variables: u64) -> Option<(&Machine, u64)> {
        let last = self.0.len().checked_sub(1)?;
        let at = last.min((variables / Self::STRIDE) as usize);
        Some((&self.0[at], at as u64 * Self::STRIDE))
    }

    /// Keeps a copy if `variables` is the next multiple of the stride.
    fn keep(&mut self, machine: &Machine, variables: u64) {
        if variables == self.0.len() as u64 * Self::STRIDE {
            self.0.push(machine.clone());
        }
    }
}

pub(super) fn put(machine: &mut Machine, name: &str, value: &[u8]) {
    machine.run(&[b"set", &[name.as_bytes(), b"=", value].concat()]);
}

/// Adds `bytes` bytes of other programs' variables: as many of the usual size as fit, and one for the rest.
pub(super) fn fill(
    machine: &mut Machine,
    bytes: u64,
    cache: &mut FillCache,
) -> Result<(), Refusal> {
    if bytes > MAX_FILL {
        let message = format!(
            "cannot fill the NVRAM with {bytes} bytes of variables: expected at most {MAX_FILL}"
        );
        return Err(refuse(Part::Nvram, message));
    }
    let before = machine.ram_variables().map_or(0, |variables| variables.len());
    let whole = (bytes / FILLER).saturating_sub(1);
    let rest = bytes - whole * FILLER;
    let mut first = 0;
    if let Some((nearest, variables)) = cache.nearest(whole) {
        (*machine, first) = (nearest.clone(), variables);
    }
    for number in first..whole {
        cache.keep(machine, number);
        put_filler(machine, number, FILLER);
    }
    let odd = u64::from(rest >= MIN_FILLER);
    if odd == 1 {
        put_filler(machine, whole, rest);
    }
    // Some tools drop a variable that does not fit without an error.
    let after = machine.ram_variables().map_or(0, |variables| variables.len());
    if after < before + (whole + odd) as usize { Err(too_small()) } else { Ok(()) }
}

/// Adds a variable of `bytes` bytes. No two have the same value.
fn put_filler(machine: &mut Machine, number: u64, bytes: u64) {
    let name = format!("wl0_cfg{number:04}");
    let length = (bytes as usize).saturating_sub(name.len() + 2);
    let letter = |at: usize| b'a' + ((number as usize + at) % 26) as u8;
    put(machine, &name, &(0..length).map(letter).collect::<Vec<u8>>());
}

/// Fills until the tool reports `free` free bytes, or the next lower number that its rounding allows.
pub(super) fn fill_until(
    machine: &mut Machine,
    free: u64,
    cache: &mut FillCache,
) -> Result<(), Refusal> {
    let left = |machine: &Machine| free_bytes(machine).unwrap_or(0);
    // The first write adds the tools' own variables.
    put_filler(machine, 9_999, FILLER);
    let now = left(machine);
    let Some(surplus) = u64::try_from(now).ok().and_then(|now| now.checked_sub(free)) else {
        let message =
            format!("invalid `free` {free}: only {now} bytes are free before anything is added");
        return Err(refuse(Part::Nvram, message));
    };
    fill(machine, surplus.saturating_sub(4 * FILLER), cache)?;
    // One more variable takes the remaining bytes; tools that align to words use a few bytes more or less.
    let rest = left(machine) - free as i64;
    for bytes in (rest - 8).max(MIN_FILLER as i64)..=rest + 8 {
        let mut trial = machine.clone();
        put_filler(&mut trial, 9_998, bytes as u64);
        if left(&trial) <= free as i64 {
            *machine = trial;
            return Ok(());
        }
    }
    Err(refuse(
        Part::Nvram,
        format!(
            "invalid `free` {free}: the tool's rounding skips this number; try another one nearby"
        ),
    ))
}
