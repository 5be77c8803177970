//! `save`, `restore` and `convert`: files with `HDR1` or `HDR2`.
//!
//! From main.c of FreshTomato on ARM (tomato64/tomato64 4b0686420d): nvram_save_new, nvram_restore_new, print_error. The
//! tools of ASUS and Padavan write the same files; what they restore depends on names that are compiled into them.

use super::multi_command::MultiCommandTool;
use crate::backup::{HdrEntry, HdrLimits, read_hdr, write_hdr};
use crate::dialect::state::{Board, OutputBuffers};

/// Mode of a file that `fopen` creates, before the umask.
const MODE: u32 = 0o666;

/// Returns whether the file was written.
pub(super) fn save(entries: &[u8], board: &Board, path: &[u8], out: &mut OutputBuffers) -> bool {
    let worked = board.files.write(path, &write_hdr(entries), MODE).is_ok();
    if !worked {
        cannot_write(path, out);
    }
    worked
}

/// Sets every variable of the file, and unsets names without a value.
pub(super) fn restore(
    tool: &MultiCommandTool,
    board: &mut Board,
    path: &[u8],
    out: &mut OutputBuffers,
) -> bool {
    let Some(entries) = read(board, path, out) else { return false };
    for entry in entries {
        match entry {
            HdrEntry::Set(name, value) => {
                tool.user_lib.set(tool.driver, board, &[&name[..], b"=", &value].concat(), out);
            }
            HdrEntry::Unset(name) => tool.user_lib.unset(tool.driver, board, &name, out),
        }
    }
    true
}

/// Writes the variables of a file as lines.
pub(super) fn convert(board: &Board, from: &[u8], to: &[u8], out: &mut OutputBuffers) -> bool {
    // The real tool creates the output before it reads the input.
    if board.files.write(to, b"", MODE).is_err() {
        cannot_write(to, out);
        return false;
    }
    let Some(entries) = read(board, from, out) else { return false };
    let mut text = Vec::new();
    for entry in entries {
        let (name, value) = match entry {
            HdrEntry::Set(name, value) => (name, value),
            HdrEntry::Unset(name) => (name, Vec::new()),
        };
        for part in [&name[..], b"=", &value, b"\n"] {
            text.extend_from_slice(part);
        }
    }
    let worked = board.files.write(to, &text, MODE).is_ok();
    if worked {
        out.err_line(&[format!("Wrote {} bytes to ", text.len()).as_bytes(), to]);
    } else {
        cannot_write(to, out);
    }
    worked
}

fn read(board: &Board, path: &[u8], out: &mut OutputBuffers) -> Option<Vec<HdrEntry>> {
    let limits = HdrLimits { length: board.space as usize };
    let Ok(file) = board.files.read(path, limits.length + 1024) else {
        out.err_line(&[b"Cannot read input file \"", path, b"\""]);
        return None;
    };
    let entries = read_hdr(&file.bytes, limits);
    if entries.is_err() {
        out.err_line(&[b"Invalid cfg file format for \"", path, b"\""]);
    }
    entries.ok()
}

fn cannot_write(path: &[u8], out: &mut OutputBuffers) {
    out.err_line(&[b"Cannot write to output file \"", path, b"\""]);
}
