//! `NVRAM_EMU_RACE=1`: the OpenWrt tool on shared files without a lock, as in the real tool.
//!
//! The staging file is rewritten in place, in the steps in which `nvram_commit` (nvram.c) changes its shared
//! mapping, so that parallel commands see and overwrite each other's partial changes.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::error::EmuError;
use super::files::{read, remove};
use super::settings::Settings;
use super::store::{load, record_ops};
use crate::dialect::openwrt::OpenWrt;
use crate::dialect::{Halt, OutputBuffers, Ram};
use crate::flsh::HEADER_LEN;
use crate::machine::CommandOutput;

/// Bytes of the mapping that change in one write.
const STEP: usize = 512;

pub(super) fn run(
    settings: &Settings,
    tool: &OpenWrt,
    args: &[&[u8]],
) -> Result<CommandOutput, EmuError> {
    let mut machine = load(settings)?;
    let staging = &settings.staging;
    let mut out = OutputBuffers::default();
    if tool.writes(args) && matches!(machine.board().ram, Ram::Empty) {
        // nvram_to_staging: O_CREAT without O_EXCL or O_TRUNC, so two commands may both copy.
        copy_to_staging(staging, &machine.flash_bytes())
            .map_err(EmuError::file("write", staging))?;
    }
    let board = machine.board_mut();
    let result = tool.prepare(board, args, &mut out).and_then(|prepared| {
        if let Some(offset) = prepared.rewritten
            && let Ram::File(bytes) = &board.ram
        {
            // Another command may have removed the staging file, in which case the write has no effect, as with
            // the mapping of the real tool.
            let _ = rewrite(staging, bytes, offset);
        }
        if prepared.commit {
            // The commit writes the current contents of the file to flash.
            board.ram = match read(staging) {
                Ok(Some(bytes)) => Ram::File(Arc::new(bytes)),
                Ok(None) | Err(_) => Ram::Empty,
            };
        }
        tool.finish(board, &prepared, &mut out)
    });
    let ops = machine.take_ops();
    if !ops.is_empty() {
        record_ops(settings, &ops)?;
        let file = OpenOptions::new().write(true).open(&settings.flash);
        file.and_then(|file| file.write_all_at(&machine.flash_bytes(), 0))
            .map_err(EmuError::file("write", &settings.flash))?;
    }
    if !ops.is_empty() || result == Err(Halt::PowerLost) {
        remove(staging)?;
    }
    Ok(machine.command_output(&result, out))
}

fn copy_to_staging(staging: &Path, flash: &[u8]) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(staging)?
        .write_all(flash)
}

/// The steps of `nvram_commit`: fills the data area, writes the entries, then the header with length and CRC.
fn rewrite(staging: &Path, bytes: &[u8], offset: usize) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(staging)?;
    let (header, data) = (offset, offset + HEADER_LEN);
    let erased = vec![0xFF; bytes.len() - data];
    file.write_all_at(&erased, data as u64)?;
    for (at, part) in (0..).step_by(STEP).zip(bytes[data..].chunks(STEP)) {
        file.write_all_at(part, (data + at) as u64)?;
    }
    file.write_all_at(&bytes[header..data], header as u64)
}
