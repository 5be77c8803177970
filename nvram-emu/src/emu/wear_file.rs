//! The wear counters of a device folder.

use std::fmt::Write as _;
use std::path::Path;

use super::error::EmuError;
use super::files::{read_to_string, replace};
use crate::device::Flash;

/// Restores the wear counters. If there is no file, the chip is new.
pub(super) fn read_wear(folder: &Path, flash: &mut Flash) -> Result<(), EmuError> {
    let path = folder.join("wear");
    if !path.exists() {
        return Ok(());
    }
    let text = read_to_string(&path)?;
    let invalid = || {
        EmuError::Geometry(format!(
            "{} is invalid: expected `programmed BYTES` and lines `BLOCK ERASES`; remove the file to reset the wear",
            path.display()
        ))
    };
    let mut lines = text.lines();
    let programmed =
        lines.next().and_then(|line| line.strip_prefix("programmed ")).and_then(|n| n.parse().ok());
    let mut erases = vec![0; flash.geometry().blocks() as usize];
    for line in lines {
        let (block, count) = line.split_once(' ').ok_or_else(invalid)?;
        let block: usize = block.parse().map_err(|_| invalid())?;
        *erases.get_mut(block).ok_or_else(invalid)? = count.parse().map_err(|_| invalid())?;
    }
    flash.set_wear(&erases, programmed.ok_or_else(invalid)?);
    Ok(())
}

pub(super) fn write_wear(folder: &Path, flash: &Flash) -> Result<(), EmuError> {
    let mut text = format!("programmed {}\n", flash.bytes_programmed());
    for (block, erases) in flash.erases().iter().enumerate().filter(|(_, erases)| **erases > 0) {
        let _ = writeln!(text, "{block} {erases}");
    }
    replace(&folder.join("wear"), text.as_bytes(), 0o644)
}
