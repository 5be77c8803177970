//! Broadcom, RT-N66U 2012: release/src/router/nvram/nvram.c of shantanugoel/asus-rt-n66u-merlin ede220728e.
//!
//! Commands match by prefix, unknown commands are skipped, and the exit code is always 0.

use memchr::memchr;

use super::info::{DialectInfo, FreeSpaceSource, Verification};
use super::kernel::{self, CommitResult, Driver, NoMemory};
use super::state::{Board, Halt, Loaded, OutputBuffers};
use super::tool::{ImageLayout, Tool};
use crate::backup::write_hdr;
use crate::flsh::HEADER_LEN;

pub(super) static INFO: DialectInfo = DialectInfo {
    name: "broadcom",
    firmware: "Asuswrt of 2012 on MIPS (RT-N66U)",
    verified: Some(Verification {
        against: "shantanugoel/asus-rt-n66u-merlin ede220728e: nvram.c, nvram_linux.c, kernel 2.6 nvram_linux.c, shared/nvram.c",
        not_run: "`save`, `restore`",
    }),
    free_space: FreeSpaceSource::ShowStderr,
    driver_sets_size: true,
    tool: &Broadcom,
};

const USAGE: &[u8] =
    b"usage: nvram [get name] [set name=value] [unset name] [show] [save file] [restore file]\n";
static DRIVER: Driver = kernel::BROADCOM;

struct Broadcom;

impl Tool for Broadcom {
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt> {
        // The driver loads its table at boot, before any command.
        DRIVER.boot(board)?;
        if args.is_empty() {
            out.stderr.extend_from_slice(USAGE);
        }
        let mut args = args.iter();
        while let Some(command) = args.next() {
            if command.starts_with(b"get") {
                let Some(name) = args.next() else { break };
                get(board, name, out);
            } else if command.starts_with(b"set") {
                let Some(pair) = args.next() else { break };
                write(board, &pair[..pair.len().min(board.space as usize)], out);
            } else if command.starts_with(b"unset") {
                let Some(name) = args.next() else { break };
                write(board, name, out);
            } else if command.starts_with(b"commi") {
                if let CommitResult::Failed(errno) = DRIVER.commit(board)? {
                    out.perror(errno);
                }
            } else if command.starts_with(b"save") {
                let Some(path) = args.next() else { break };
                save(board, path);
            } else if command.starts_with(b"restore") {
                if args.next().is_none() {
                    break;
                }
                out.err_line(&[
                    b"nvram: cannot run 'restore': the names that it restores are compiled into the real tool",
                ]);
                return Ok(1);
            } else if command.starts_with(b"show") {
                show(board, out);
            }
        }
        Ok(0)
    }

    fn driver(&self) -> Option<&'static Driver> {
        Some(&DRIVER)
    }

    fn layout(&self) -> ImageLayout {
        ImageLayout::of(&DRIVER)
    }

    fn load_ram(&self, board: &Board) -> Option<Loaded> {
        Some(Loaded::Kernel(DRIVER.peek(board)))
    }

    fn load_flash(&self, board: &Board) -> Option<Loaded> {
        DRIVER.load_flash(board).map(Loaded::Kernel)
    }
}

/// `get`: for an empty name the driver returns all variables, which the tool treats as no value.
fn get(board: &mut Board, name: &[u8], out: &mut OutputBuffers) {
    if name.is_empty() {
        return;
    }
    if let Some(value) = DRIVER.ram(board).table.get(name) {
        out.line(&[value]);
    }
}

/// `dev_nvram_write`: the driver splits at the first `=`, and unsets if there is none. So `set NAME` unsets, and
/// `unset NAME=VALUE` sets.
fn write(board: &mut Board, text: &[u8], out: &mut OutputBuffers) {
    let Some(eq) = memchr(b'=', text) else {
        return DRIVER.unset(board, text);
    };
    if let Err(NoMemory) = DRIVER.set(board, &text[..eq], &text[eq + 1..]) {
        out.perror(DRIVER.full_errno);
    }
}

/// The tool does not report a file that it cannot write.
fn save(board: &mut Board, path: &[u8]) {
    let space = board.space as usize;
    let mut entries = Vec::new();
    Driver::getall(&DRIVER.ram(board).table, space, |entry| entries.extend_from_slice(entry));
    let _ = board.files.write(path, &write_hdr(&entries), 0o666);
}

fn show(board: &mut Board, out: &mut OutputBuffers) {
    let space = board.space as usize;
    let ram = DRIVER.ram(board);
    out.stdout.reserve(ram.table.printed_len());
    let size = HEADER_LEN + Driver::getall(&ram.table, space, |entry| out.entry(entry));
    let left = space as i64 - size as i64;
    out.stderr.extend_from_slice(format!("size: {size} bytes ({left} left)\n").as_bytes());
}
