//! Tomato and FreshTomato on MIPS: Jonathan Zarate's NVRAM Utility, which runs one command per call.

use std::borrow::Cow;

use memchr::memchr;

use super::user_lib::write;
use crate::dialect::kernel::{self, CommitResult};
use crate::dialect::state::{Board, Driver, Halt, Loaded, OutputBuffers};
use crate::dialect::tool::Tool;
use crate::flsh::HEADER_LEN;
use Arity::{AtLeast, Exactly};

const DRIVER: &Driver = &kernel::BROADCOM;

/// `help()`, without the `default_get` of builds for newer wireless drivers.
const HELP: &str = "\
NVRAM Utility
Usage: nvram set <key=value> | get <key> | unset <key> |
ren <key> <key> | commit | erase | show [--nosort|--nostat] |
find <text> | defaults <--yes|--initcheck> | backup <filename> |
restore <filename> [--test] [--force] [--forceall] [--nocommit] |
export <--quote|--c|--set|--tab> [--nodefaults] |
export <--dump|--dump0> | import [--forceall] <filename> |
setfb64 <key> <filename> | getfb64 <key> <filename> |
setfile <key> <filename> | getfile <key> <filename> | setfile2nvram <filename> |
convert <infile.cfg> <outfile.txt>
";

/// The number of arguments of an applet, its name included.
#[derive(Clone, Copy)]
enum Arity {
    Exactly(usize),
    AtLeast(usize),
}

/// The rows of `applets[]` that are not modelled.
const UNSUPPORTED: [(&str, Arity); 20] = [
    ("erase", Exactly(1)),
    ("find", Exactly(2)),
    ("export", AtLeast(2)),
    ("import", AtLeast(2)),
    ("defaults", Exactly(2)),
    ("rstats_defaults", Exactly(2)),
    ("cstats_defaults", Exactly(2)),
    ("ftp_defaults", Exactly(2)),
    ("snmp_defaults", Exactly(2)),
    ("upnp_defaults", Exactly(2)),
    ("validate", AtLeast(2)),
    ("backup", Exactly(2)),
    ("restore", AtLeast(2)),
    ("setfb64", Exactly(3)),
    ("getfb64", Exactly(3)),
    ("setfile", Exactly(3)),
    ("getfile", Exactly(3)),
    ("setfile2nvram", Exactly(2)),
    ("convert", Exactly(3)),
    ("ren", Exactly(3)),
];

/// Names of at least this length are not mirrored (`nvram_set`, nvram_linux.c).
const MIRRORED_NAME_LIMIT: usize = 32;

pub(super) struct Tomato;

impl Tool for Tomato {
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt> {
        // The driver loads its table at boot, before any command.
        DRIVER.ram(board);
        Ok(match args {
            [b"get", name] => get(board, name, out),
            [b"set", pair] => set(board, pair, out),
            [b"unset", name] => {
                write(DRIVER, board, name, out);
                0
            }
            [b"show", options @ ..] => show(board, options, out),
            [b"commit"] => commit(board, out)?,
            [command, ..] if is_unsupported(command, args.len()) => {
                out.err_line(&[b"nvram: the emulated tomato does not support '", command, b"'"]);
                1
            }
            _ => help(out),
        })
    }

    fn driver(&self) -> Option<&'static Driver> {
        Some(DRIVER)
    }

    fn load_ram(&self, board: &Board) -> Option<Loaded> {
        Some(Loaded::Kernel(DRIVER.peek(board)))
    }

    fn load_flash(&self, board: &Board) -> Option<Loaded> {
        DRIVER.load_flash(board).map(Loaded::Kernel)
    }
}

fn is_unsupported(command: &[u8], args: usize) -> bool {
    UNSUPPORTED.iter().any(|(name, arity)| {
        let fits = match *arity {
            Exactly(count) => args == count,
            AtLeast(count) => args >= count,
        };
        fits && command == name.as_bytes()
    })
}

fn help(out: &mut OutputBuffers) -> u8 {
    out.stdout.extend_from_slice(HELP.as_bytes());
    1
}

/// `get_main`: an empty value is treated as missing.
fn get(board: &mut Board, name: &[u8], out: &mut OutputBuffers) -> u8 {
    match DRIVER.ram(board).table.get(name) {
        Some(value) if !name.is_empty() && !value.is_empty() => {
            out.line(&[value]);
            0
        }
        _ => 1,
    }
}

/// `set_main`, then the library's `nvram_set`: `wl0_ifname` also sets `wl_ifname`, and `wl_NAME` also sets
/// `wl0_NAME`, each before the name itself.
fn set(board: &mut Board, pair: &[u8], out: &mut OutputBuffers) -> u8 {
    let Some(eq) = memchr(b'=', pair) else {
        return help(out);
    };
    let name = &pair[..eq];
    if name == b"wl0_ifname" {
        write(DRIVER, board, &[b"wl_ifname", &pair[eq..]].concat(), out);
    }
    if let Some(rest) = pair.strip_prefix(b"wl_")
        && name.len() >= 3
        && name.len() < MIRRORED_NAME_LIMIT
    {
        write(DRIVER, board, &[b"wl0_", rest].concat(), out);
    }
    write(DRIVER, board, pair, out);
    0
}

/// `commit_main`.
fn commit(board: &mut Board, out: &mut OutputBuffers) -> Result<u8, Halt> {
    out.stdout.extend_from_slice(b"Commit... ");
    let committed = DRIVER.commit(board)?;
    if let CommitResult::Failed(errno) = committed {
        out.perror(errno);
    }
    out.stdout.extend_from_slice(b"done.\n");
    Ok(u8::from(matches!(committed, CommitResult::Failed(_))))
}

/// `show_main`: prints unprintable bytes as spaces; sorted as by `sort` in the C locale unless `--nosort`.
fn show(board: &mut Board, options: &[&[u8]], out: &mut OutputBuffers) -> u8 {
    let (mut sorted, mut statistics) = (true, true);
    for option in options {
        match *option {
            b"--nosort" => sorted = false,
            b"--nostat" => statistics = false,
            _ => return help(out),
        }
    }
    let space = board.space as usize;
    let table = &DRIVER.ram(board).table;
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~');
    let mut lines = Vec::with_capacity(table.len());
    let used = HEADER_LEN
        + Driver::getall(table, space, |entry| {
            let mut line = Cow::Borrowed(&entry[..entry.len() - 1]);
            if !line.iter().all(is_printable) {
                let unprintable = line.to_mut().iter_mut().filter(|byte| !is_printable(byte));
                unprintable.for_each(|byte| *byte = b' ');
            }
            lines.push(line);
        });
    out.stdout.reserve(table.printed_len());
    if sorted {
        lines.sort_unstable();
    }
    for line in &lines {
        out.line(&[line]);
    }
    if statistics {
        let (count, free) = (lines.len(), space as i64 - used as i64);
        out.line(&[b"---"]);
        out.line(&[format!("{count} entries, {used} bytes used, {free} bytes free.").as_bytes()]);
    }
    0
}
