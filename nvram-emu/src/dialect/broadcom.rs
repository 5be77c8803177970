//! Broadcom, RT-N66U 2012: release/src/router/nvram/nvram.c of shantanugoel/asus-rt-n66u-merlin ede220728e.
//!
//! Words are known by their prefix, unknown ones are skipped, the exit code is always 0.

use super::Tool;
use super::board::{Board, Halt, Loaded, OutputBuffers};
use super::kernel::{self, CommitResult, Driver, NoMemory};
use super::registry::{DialectInfo, FreeSpaceSource};
use crate::flsh::{HEADER_LEN, find};

/// What is known of it.
pub(super) static INFO: DialectInfo = DialectInfo {
    name: "broadcom",
    verified: true,
    free_space: FreeSpaceSource::ShowStderr,
    own_space: true,
    source: "shantanugoel/asus-rt-n66u-merlin ede220728e",
    tool: &Broadcom,
};

const USAGE: &[u8] =
    b"usage: nvram [get name] [set name=value] [unset name] [show] [save file] [restore file]\n";
static DRIVER: Driver = kernel::BROADCOM;

struct Broadcom;

impl Tool for Broadcom {
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt> {
        // The driver has loaded its table at boot, whatever the command.
        DRIVER.ram(board);
        if args.is_empty() {
            out.stderr.extend_from_slice(USAGE);
        }
        let mut words = args.iter();
        while let Some(word) = words.next() {
            if word.starts_with(b"get") {
                let Some(name) = words.next() else { break };
                get(board, name, out);
            } else if word.starts_with(b"set") {
                let Some(pair) = words.next() else { break };
                write(board, &pair[..pair.len().min(board.space as usize)], out);
            } else if word.starts_with(b"unset") {
                let Some(name) = words.next() else { break };
                write(board, name, out);
            } else if word.starts_with(b"commi") {
                if let CommitResult::Failed(errno) = DRIVER.commit(board)? {
                    out.perror(errno);
                }
            } else if word.starts_with(b"save") || word.starts_with(b"restore") {
                // Backups are not modelled: the file name is taken, nothing else happens.
                words.next();
            } else if word.starts_with(b"show") {
                show(board, out);
            }
        }
        Ok(0)
    }

    fn driver(&self) -> Option<&'static Driver> {
        Some(&DRIVER)
    }

    fn load_ram(&self, board: &Board) -> Option<Loaded> {
        Some(Loaded::Kernel(DRIVER.peek(board)))
    }

    fn load_flash(&self, board: &Board) -> Option<Loaded> {
        DRIVER.load_flash(board).map(Loaded::Kernel)
    }
}

/// `get`: the driver takes an empty name for "all variables", whose answer the tool then mistakes for none.
fn get(board: &mut Board, name: &[u8], out: &mut OutputBuffers) {
    if name.is_empty() {
        return;
    }
    if let Some(value) = DRIVER.ram(board).table.get(name) {
        out.line(&[value]);
    }
}

/// `dev_nvram_write`: the driver itself splits at the first `=`; without one it unsets. So `set NAME` unsets,
/// and `unset NAME=VALUE` sets.
fn write(board: &mut Board, text: &[u8], out: &mut OutputBuffers) {
    let Some(eq) = find(text, b'=') else {
        return DRIVER.unset(board, text);
    };
    if let Err(NoMemory) = DRIVER.set(board, &text[..eq], &text[eq + 1..]) {
        out.perror(DRIVER.full);
    }
}

fn show(board: &mut Board, out: &mut OutputBuffers) {
    let space = board.space as usize;
    let ram = DRIVER.ram(board);
    out.stdout.reserve(ram.table.printed_len());
    let size = HEADER_LEN + Driver::getall(&ram.table, space, |text| out.text(text));
    let left = space as i64 - size as i64;
    out.stderr.extend_from_slice(format!("size: {size} bytes ({left} left)\n").as_bytes());
}
