//! Damage to flash or RAM, as a scenario describes it.

use std::borrow::Cow;

use dnsmasq_model::parse_hex_digits;
use nvram_emu::Machine;
use scenario::diagnostics::SourceError;
use scenario::{Case, Damage, Memory};

/// The machine with bytes of its flash or RAM overwritten.
///
/// # Errors
/// Bytes that are not hexadecimal or reach beyond the memory, with their place in the file.
pub(super) fn apply(
    case: &Case,
    machine: &Machine,
    damage: &Damage,
) -> Result<Machine, SourceError> {
    let error = |message: String| case.error(damage.bytes.span(), message);
    let too_long = |message: String| {
        let place = damage.repeat.as_ref().map_or(damage.bytes.span(), toml::Spanned::span);
        case.error(place, message)
    };
    let digits: String = damage.bytes.get_ref().split([' ', ':']).collect();
    let pattern = parse_hex_digits(digits.as_bytes());
    let pattern = pattern.filter(|pattern| !pattern.is_empty()).ok_or_else(|| {
        error("invalid bytes: expected two hexadecimal digits for each, for example ff:00".into())
    })?;
    let repeat = damage.repeat.as_ref().map_or(1, |repeat| *repeat.get_ref() as usize);
    let offset = damage.offset.0 as usize;
    let (flash, ram) = (machine.flash_bytes(), machine.ram_bytes());
    let damaged = match damage.memory {
        Memory::Flash => {
            let mut flash = flash.into_owned();
            let start = (machine.nvram_offset() as usize).saturating_add(offset);
            overwrite(&mut flash, start, &pattern, repeat).map_err(too_long)?;
            machine.with_contents(&flash, ram.map(Cow::into_owned))
        }
        Memory::Ram => {
            let mut ram = ram
                .ok_or_else(|| error("RAM holds no NVRAM contents to damage".to_owned()))?
                .into_owned();
            overwrite(&mut ram, offset, &pattern, repeat).map_err(too_long)?;
            machine.with_contents(&flash, Some(ram))
        }
    };
    damaged
        .ok_or_else(|| error("the dialect cannot have these contents in RAM or flash".to_owned()))
}

fn overwrite(memory: &mut [u8], at: usize, pattern: &[u8], repeat: usize) -> Result<(), String> {
    let size = memory.len();
    let length = pattern.len().saturating_mul(repeat);
    let place = memory
        .get_mut(at..at.saturating_add(length))
        .ok_or_else(|| format!("{length} bytes at {at} reach beyond the memory's {size} bytes"))?;
    for (byte, new) in place.iter_mut().zip(pattern.iter().cycle()) {
        *byte = *new;
    }
    Ok(())
}
