//! `backup` and `restore` of DD-WRT: nvram_backup and nvram_restore, backup.c of mirror/dd-wrt at c1330ebb1b.

use memchr::memchr;

use super::multi_command::MultiCommandTool;
use super::reset::keeps;
use crate::backup::{read_ddwrt, write_ddwrt};
use crate::dialect::state::{Board, OutputBuffers};

/// Maximum size of a backup: names and values of an NVRAM, and their lengths.
const LIMIT: usize = 4 << 20;

/// Returns whether the file was written.
pub(super) fn backup(
    tool: &MultiCommandTool,
    board: &mut Board,
    path: &[u8],
    out: &mut OutputBuffers,
) -> bool {
    let entries = tool.entries(board);
    let mut variables = Vec::new();
    for entry in entries.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
        let eq = memchr(b'=', entry).unwrap_or(entry.len());
        variables.push((&entry[..eq], entry.get(eq + 1..).unwrap_or_default()));
    }
    let worked = board.files.write(path, &write_ddwrt(&variables), 0o666).is_ok();
    if !worked {
        out.err_line(&[b"can't write ", path]);
    }
    worked
}

/// Clears the variables that a reset does not keep, and sets those of the file that it does not keep.
pub(super) fn restore(
    tool: &MultiCommandTool,
    board: &mut Board,
    path: &[u8],
    out: &mut OutputBuffers,
) -> bool {
    let Ok(file) = board.files.read(path, LIMIT) else {
        // The real tool uses the same message for reading.
        out.err_line(&[b"can't write ", path]);
        return false;
    };
    let Ok(variables) = read_ddwrt(&file.bytes) else {
        out.err_line(&[b"file ", path, b" broken"]);
        return false;
    };
    tool.user_lib.reset(tool.driver, board, out);
    for (name, value) in variables {
        if name.iter().any(|byte| !byte.is_ascii()) {
            out.err_line(&[b"ommit ", &name, b" (illegal nvram name)"]);
        } else if !keeps(&name) {
            tool.user_lib.set(tool.driver, board, &[&name[..], b"=", &value].concat(), out);
        }
    }
    true
}
