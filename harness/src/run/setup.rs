//! The router as a scenario describes it, before its first boot.

use std::path::Path;

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Exit, Machine, flsh};

use crate::diagnostics::SourceError;
use crate::scenario::Case;

/// Bytes of one filler variable, `name=value` and its NUL.
const FILLER: u64 = 40;

/// Makes the router.
///
/// # Errors
/// A dialect or chip that does not exist, sizes that do not fit together, an image that cannot be read.
pub(super) fn machine(case: &Case) -> Result<Machine, SourceError> {
    let router = &case.scenario.router;
    let dialect: Dialect =
        router.dialect.get_ref().parse().map_err(|error: nvram_emu::dialect::UnknownDialect| {
            case.error(router.dialect.span(), error.to_string())
        })?;
    let chip = Chip::by_name(router.chip.get_ref()).ok_or_else(|| {
        let names: Vec<&str> = Chip::ALL.iter().map(|chip| chip.name).collect();
        case.error(router.chip.span(), format!("no chip `{}`", router.chip.get_ref()))
            .help(format!("the chips are {}", names.join(", ")))
    })?;
    let own_space = dialect.traits().own_space;
    let partition = router.partition.map_or_else(
        || {
            if own_space {
                router.space.0.next_multiple_of(router.erase.0.max(1))
            } else {
                router.space.0
            }
        },
        |partition| partition.0,
    );
    if router.space.0 < 1024 || partition < router.space.0 {
        return Err(case.error(
            0..0,
            format!("an NVRAM of {} does not fit a partition of {partition} bytes", router.space),
        ));
    }
    let space = if own_space { router.space.0 } else { partition };
    let bytes = match &router.image {
        Some(image) => read_image(case, image, partition)?,
        None => blank(partition, space),
    };
    let erase = router.erase.0 as u32;
    let flash = Flash::from_bytes(&bytes, erase, chip)
        .map_err(|error| case.error(0..0, error.to_string()))?;
    let mut machine = Machine::new(dialect, flash, own_space.then_some(space as u32));
    for (name, value) in &router.variables {
        set(case, &mut machine, name, value)?;
    }
    if router.image.is_none() {
        match router.free {
            None => fill(case, &mut machine, router.neighbours.0)?,
            Some(free) => fill_until(case, &mut machine, free.0)?,
        }
    }
    if machine.ram_bytes().is_some() {
        machine.run(&[b"commit"]);
    }
    // A new chip: what it took to fill it does not count.
    let flash = Flash::from_bytes(&machine.flash_bytes(), erase, chip)
        .map_err(|error| case.error(0..0, error.to_string()))?;
    Ok(Machine::new(dialect, flash, own_space.then_some(space as u32)))
}

/// A partition with an NVRAM at its end that holds no variable.
fn blank(partition: u64, space: u64) -> Vec<u8> {
    let mut bytes = vec![0xFF; partition as usize];
    let header = (partition - space) as usize;
    let image = flsh::blank_image();
    bytes[header..header + image.len()].copy_from_slice(&image);
    bytes
}

fn read_image(
    case: &Case,
    image: &toml::Spanned<String>,
    partition: u64,
) -> Result<Vec<u8>, SourceError> {
    let folder = case.source.path.parent().unwrap_or(Path::new("."));
    let path = folder.join(image.get_ref());
    let mut bytes = std::fs::read(&path)
        .map_err(|error| case.error(image.span(), format!("{}: {error}", path.display())))?;
    if bytes.len() as u64 > partition {
        return Err(case.error(
            image.span(),
            format!("{} bytes do not fit a partition of {partition}", bytes.len()),
        ));
    }
    bytes.resize(partition as usize, 0xFF);
    Ok(bytes)
}

fn set(case: &Case, machine: &mut Machine, name: &str, value: &str) -> Result<(), SourceError> {
    let value = super::text::unescape(value).map_err(|why| case.error(0..0, why))?;
    let pair = [name.as_bytes(), b"=", &value].concat();
    let outcome = machine.run(&[b"set", &pair]);
    let kept = machine.ram_variables().unwrap_or_default();
    if outcome.exit != Exit::Code(0) || !kept.contains(&(name.as_bytes().to_vec(), value)) {
        return Err(case
            .error(0..0, format!("the NVRAM does not take the variable {name}"))
            .help("less text, or more space"));
    }
    Ok(())
}

/// Other programs' settings, `bytes` of them.
fn fill(case: &Case, machine: &mut Machine, bytes: u64) -> Result<(), SourceError> {
    let mut left = bytes;
    let mut number = 0;
    while left >= 2 * FILLER {
        set_filler(case, machine, number, FILLER)?;
        left -= FILLER;
        number += 1;
    }
    if left >= 16 { set_filler(case, machine, number, left) } else { Ok(()) }
}

fn set_filler(case: &Case, machine: &mut Machine, n: u64, bytes: u64) -> Result<(), SourceError> {
    let name = format!("wl0_cfg{n:04}");
    let length = (bytes as usize).saturating_sub(name.len() + 2);
    let value: String =
        (0..length).map(|i| char::from(b'a' + ((n as usize + i) % 26) as u8)).collect();
    set(case, machine, &name, &value)
}

/// Fills until the tool itself says that `free` bytes are left.
fn fill_until(case: &Case, machine: &mut Machine, free: u64) -> Result<(), SourceError> {
    let left = |machine: &Machine| super::text::free_bytes(machine).unwrap_or(0);
    // The first write adds the tools' own variables.
    set_filler(case, machine, 9_999, FILLER)?;
    let now = left(machine);
    if now < free as i64 {
        return Err(case.error(0..0, format!("only {now} bytes are free to begin with")));
    }
    fill(case, machine, (now as u64 - free).saturating_sub(4 * FILLER))?;
    // The last variable grows until the count is right, or as near as the tool's rounding allows.
    for bytes in 16..=8 * FILLER {
        let mut trial = machine.clone();
        set_filler(case, &mut trial, 9_998, bytes)?;
        if left(&trial) <= free as i64 {
            *machine = trial;
            return Ok(());
        }
    }
    Err(case.error(0..0, format!("{free} free bytes cannot be reached")))
}
