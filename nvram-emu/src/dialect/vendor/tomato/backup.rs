//! `backup`, `restore` and `convert`: backup_main, restore and restore_to_file_main.

use std::collections::BTreeSet;

use super::variables::{DRIVER, get, set, unset};
use crate::backup::{BackupError, TomatoBackup, read_tomato, write_tomato};
use crate::dialect::state::{Board, Driver, Halt, OutputBuffers};

/// `check_hw_type` derives it from the board; the number depends on the build.
const UNKNOWN_HARDWARE: u32 = 0;
/// Maximum size of a compressed backup.
const LIMIT: usize = 4 << 20;

/// The entries of the driver, each with its NUL.
fn entries(board: &mut Board) -> Vec<u8> {
    let space = board.space as usize;
    let mut entries = Vec::new();
    Driver::getall(&DRIVER.ram(board).table, space, |entry| entries.extend_from_slice(entry));
    entries
}

/// `backup_main`.
pub(super) fn backup(board: &mut Board, path: &[u8], out: &mut OutputBuffers) -> u8 {
    let file = write_tomato(UNKNOWN_HARDWARE, &entries(board));
    if board.files.write(path, &file, 0o666).is_err() {
        out.line(&[b"Error compressing file."]);
        return 1;
    }
    out.err_line(&[
        b"nvram: the hardware type in the backup is 0: restore it on a router with --force or --forceall",
    ]);
    out.line(&[b"Saved."]);
    0
}

/// The options of `restore`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restore<'a> {
    path: Option<&'a [u8]>,
    mode: Mode,
    check: Check,
    keep_in_ram: bool,
}

/// Whether the variables are changed, or the commands are only printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Change,
    Test,
}

/// Which backups are accepted, and which variables are restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Check {
    /// Those of the same router; all variables.
    #[default]
    SameRouter,
    /// Those of any router; the variables with defaults.
    Force,
    /// Those of any router; all variables.
    ForceAll,
}

impl<'a> Restore<'a> {
    /// `restore_main`; `None` for an unknown option, or without a file.
    pub(super) fn parse(options: &[&'a [u8]]) -> Option<Self> {
        let mut restore = Self::default();
        for option in options {
            match *option {
                b"--test" => restore.mode = Mode::Test,
                b"--force" => restore.check = Check::Force,
                b"--forceall" => restore.check = Check::ForceAll,
                b"--nocommit" => restore.keep_in_ram = true,
                option if option.starts_with(b"-") => return None,
                path => restore.path = Some(path),
            }
        }
        restore.path.is_some().then_some(restore)
    }

    /// `restore`.
    pub(super) fn run(self, board: &mut Board, out: &mut OutputBuffers) -> Result<u8, Halt> {
        if self.check == Check::Force {
            out.err_line(&[
                b"nvram: cannot restore with --force: the names of the defaults are compiled into the real tool",
            ]);
            return Ok(1);
        }
        let path = self.path.unwrap_or_default();
        let Some(TomatoBackup { hardware, variables }) =
            read(board, path, "Error decompressing file.", out)
        else {
            return Ok(1);
        };
        if self.check == Check::SameRouter {
            let line = format!(
                "nvram: the emulator does not know its hardware type, so that of the backup ({hardware:08X}) is not compared"
            );
            out.err_line(&[line.as_bytes()]);
            let other = variables.iter().any(|(name, value)| {
                name == b"et0macaddr" && get(board, name).unwrap_or_default() != *value
            });
            if other {
                out.line(&[b"Cannot restore on a different router."]);
                return Ok(1);
            }
        }
        let (mut sets, mut unsets, mut same) = (0, 0, 0);
        for (name, value) in &variables {
            // `nvram_match` takes a missing variable for an empty one.
            if get(board, name).unwrap_or_default() == *value {
                same += 1;
                continue;
            }
            sets += 1;
            let pair = [&name[..], b"=", value].concat();
            if self.mode == Mode::Test {
                out.line(&[b"nvram set \"", &pair, b"\""]);
            } else {
                set(board, &pair, out);
            }
        }
        let known: BTreeSet<&[u8]> = variables.iter().map(|(name, _)| &name[..]).collect();
        let current: Vec<Vec<u8>> =
            DRIVER.ram(board).table.iter().map(|(name, _)| name.to_vec()).collect();
        for name in current.iter().filter(|name| !known.contains(&name[..])) {
            unsets += 1;
            if self.mode == Mode::Test {
                out.line(&[b"nvram unset \"", name, b"\""]);
            } else {
                unset(board, name, out);
            }
        }
        let commit = !self.keep_in_ram && (sets > 0 || unsets > 0);
        let end = if commit { "Committing..." } else { "Not commiting." };
        let line = format!(
            "\nPerformed {sets} set and {unsets} unset operations. {same} required no changes.\n{end}"
        );
        out.line(&[line.as_bytes()]);
        if commit && self.mode == Mode::Change {
            DRIVER.commit(board)?;
        }
        Ok(0)
    }
}

/// `restore_to_file_main`: the variables of the backup, then the names of the present ones with empty values. The exit
/// code is always 0.
pub(super) fn convert(board: &mut Board, from: &[u8], to: &[u8], out: &mut OutputBuffers) -> u8 {
    if board.files.write(to, b"", 0o666).is_err() {
        out.err_line(&[b"Cannot write to output file \"", to, b"\""]);
        return 1;
    }
    let Some(backup) = read(board, from, "Error decompressing input file.", out) else { return 0 };
    let mut text = Vec::new();
    for (name, value) in &backup.variables {
        for part in [&name[..], b"=", value, b"\n"] {
            text.extend_from_slice(part);
        }
    }
    for (name, _) in DRIVER.ram(board).table.iter() {
        for part in [name, b"=\n"] {
            text.extend_from_slice(part);
        }
    }
    if board.files.write(to, &text, 0o666).is_ok() && text.len() > 1 {
        out.err_line(&[format!("Wrote {} bytes to ", text.len()).as_bytes(), to]);
    }
    0
}

fn read(
    board: &Board,
    path: &[u8],
    cannot_unpack: &str,
    out: &mut OutputBuffers,
) -> Option<TomatoBackup> {
    let read = board.files.read(path, LIMIT).map_err(|_| BackupError::at(0, "missing"));
    let message = match read.and_then(|file| read_tomato(&file.bytes)) {
        Ok(backup) => return Some(backup),
        Err(BackupError::Offset { offset: 0, problem }) if problem.contains("TCF1") => {
            "Invalid signature."
        }
        Err(BackupError::Offset { offset: 0, .. }) => cannot_unpack,
        Err(BackupError::TooLarge { .. }) => "Invalid data size or read error.",
        Err(_) => "Corrupted data area.",
    };
    out.line(&[message.as_bytes()]);
    None
}
