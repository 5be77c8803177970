//! `NVRAM_EMU_RACE=1`: the OpenWrt tool without a lock, on shared files, as it really is.
//!
//! The staging file is rewritten in place, in the steps in which `nvram_commit` (nvram.c) changes its shared
//! mapping, so that parallel commands see and destroy each other's half-done work.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::error::EmuError;
use super::files::{read, remove};
use super::process::{load, record_ops};
use super::settings::Settings;
use crate::dialect::openwrt::OpenWrt;
use crate::dialect::{Halt, OutputBuffers, Ram};
use crate::flsh::HEADER_LEN;
use crate::machine::CommandOutput;

/// Bytes of the mapping that change at once.
const STEP: usize = 512;

/// Runs one command without a lock.
pub(super) fn run(
    settings: &Settings,
    tool: &OpenWrt,
    args: &[&[u8]],
) -> Result<CommandOutput, EmuError> {
    let mut machine = load(settings)?;
    let staging = &settings.staging;
    let mut out = OutputBuffers::default();
    if tool.writes(args) && matches!(machine.board().ram, Ram::Empty) {
        // nvram_to_staging: O_CREAT without O_EXCL or O_TRUNC; two commands may both copy.
        copy_to_staging(staging, &machine.flash_bytes())
            .map_err(EmuError::file("write", staging))?;
    }
    let board = machine.board_mut();
    let result = tool.prepare(board, args, &mut out).and_then(|prepared| {
        if prepared.rewritten
            && let Ram::File(bytes) = &board.ram
        {
            // A staging file that another command has just removed is written to no avail, as a mapping is.
            let _ = rewrite(staging, bytes, prepared.offset);
        }
        if prepared.commit {
            // What goes to flash is the file as it is by then.
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

/// The steps of `nvram_commit`: header, the data area filled, the entries, header again with length and CRC.
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
