//! Loads a device from its files, and writes the changes of a command back.

use std::path::Path;

use super::error::EmuError;
use super::files::{append, read, remove, replace};
use super::settings::Settings;
use super::wear_file::{read_wear, write_wear};
use crate::device::{Flash, Op};
use crate::dialect::{ProcMtd, Ram};
use crate::machine::Machine;

/// Loads the router that the files describe.
pub(super) fn load(settings: &Settings) -> Result<Machine, EmuError> {
    let config = &settings.config;
    let driver = config.dialect.tool().driver();
    let bytes = read(&settings.flash)?;
    if bytes.is_none() && driver.is_some() {
        return Err(EmuError::file("open", &settings.flash)(std::io::ErrorKind::NotFound.into()));
    }
    // Without a partition, or with an empty one, an OpenWrt tool reports that it finds no device.
    let missing = bytes.as_ref().is_none_or(Vec::is_empty);
    let bytes = bytes.filter(|bytes| !bytes.is_empty()).unwrap_or_else(|| vec![0xFF]);
    if let (Some(space), Some(_)) = (config.space, driver)
        && space as usize > bytes.len()
    {
        return Err(EmuError::Geometry(format!(
            "the NVRAM ({space} bytes) is larger than the partition {} ({} bytes): lower NVRAM_EMU_SPACE or use a larger partition",
            settings.flash.display(),
            bytes.len()
        )));
    }
    let mut flash = Flash::from_bytes(&bytes, config.erase, config.chip)
        .map_err(|error| EmuError::Geometry(format!("{error}; check NVRAM_EMU_ERASE")))?;
    if let Some(folder) = &settings.folder {
        read_wear(folder, &mut flash)?;
    }
    flash.arm(settings.cut);
    let proc_mtd = if missing { ProcMtd::Missing } else { proc_mtd(settings.proc_mtd.as_deref())? };
    let mut machine = Machine::new(config.dialect, flash, config.space).with_proc_mtd(proc_mtd);
    if let Some(bytes) = read(&settings.staging)? {
        machine.board_mut().ram = Ram::from_bytes(bytes, driver)
            .map_err(|_| EmuError::InvalidStaging(settings.staging.clone()))?;
    }
    Ok(machine)
}

/// Reads the replacement for /proc/mtd.
pub(super) fn proc_mtd(path: Option<&Path>) -> Result<ProcMtd, EmuError> {
    Ok(match path {
        None => ProcMtd::Assumed,
        Some(path) => read(path)?.map_or(ProcMtd::Missing, |text| ProcMtd::Text(text.into())),
    })
}

/// Writes the changes of a command to the files; `before` is RAM before the command.
pub(super) fn store(
    settings: &Settings,
    machine: &mut Machine,
    before: &Ram,
) -> Result<(), EmuError> {
    let ops = machine.take_ops();
    if !ops.is_empty() {
        record_ops(settings, &ops)?;
        if let Some(folder) = &settings.folder {
            write_wear(folder, machine.flash())?;
        }
        replace(&settings.flash, &machine.flash_bytes(), 0o644)?;
    }
    let ram = &machine.board().ram;
    if ram.shares_state(before) {
        return Ok(());
    }
    match ram.to_bytes() {
        Some(bytes) => replace(&settings.staging, &bytes, 0o600),
        None => remove(&settings.staging),
    }
}

/// Appends the operations to the log of `NVRAM_EMU_LOG` and to that of the device folder.
pub(super) fn record_ops(settings: &Settings, ops: &[Op]) -> Result<(), EmuError> {
    let text = ops.iter().fold(String::new(), |text, op| text + &op.to_string() + "\n");
    if let Some(log) = &settings.log {
        append(log, &text)?;
    }
    match &settings.folder {
        Some(folder) => append(&folder.join("ops.log"), &text),
        None => Ok(()),
    }
}
