//! The applets, and the commands that are modelled.

use memchr::memchr;

use super::listing::Show;
use super::variables::{DRIVER, get, rename, set, unset};
use super::{backup, export, file_values, find, import};
use crate::dialect::kernel::CommitResult;
use crate::dialect::state::{Board, Driver, Halt, Loaded, OutputBuffers};
use crate::dialect::tool::{ImageLayout, Tool};
use Arity::{AtLeast, Exactly};

/// The generations of the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// TomatoUSB, Toastman, Shibby, EasyTomato, AdvancedTomato: `get` prints an empty value, no `convert`.
    Classic,
    /// FreshTomato, without the `default_get` of builds for newer wireless drivers.
    FreshTomato,
}

const CLASSIC_HEAD: &str = "\
NVRAM Utility
Copyright (C) 2006-2009 Jonathan Zarate

Usage: nvram set <key=value> | get <key> | unset <key> | default_get  <key> [only work on K26AC routers]
";

const FRESH_HEAD: &str = "\
NVRAM Utility
Usage: nvram set <key=value> | get <key> | unset <key> |
";

const COMMON_HELP: &str = "\
ren <key> <key> | commit | erase | show [--nosort|--nostat] |
find <text> | defaults <--yes|--initcheck> | backup <filename> |
restore <filename> [--test] [--force] [--forceall] [--nocommit] |
export <--quote|--c|--set|--tab> [--nodefaults] |
export <--dump|--dump0> | import [--forceall] <filename> |
setfb64 <key> <filename> | getfb64 <key> <filename> |
setfile <key> <filename> | getfile <key> <filename> | setfile2nvram <filename>";

impl Generation {
    /// `help()`.
    fn help(self, out: &mut OutputBuffers) -> u8 {
        let (head, tail) = match self {
            Self::Classic => (CLASSIC_HEAD, "\n"),
            Self::FreshTomato => (FRESH_HEAD, " |\nconvert <infile.cfg> <outfile.txt>\n"),
        };
        for text in [head, COMMON_HELP, tail] {
            out.stdout.extend_from_slice(text.as_bytes());
        }
        1
    }
}

/// The number of arguments of an applet, its name included.
#[derive(Clone, Copy)]
enum Arity {
    Exactly(usize),
    AtLeast(usize),
}

/// The rows of `applets[]` that need what the emulator cannot know.
const UNSUPPORTED: [(&str, Arity); 8] = [
    ("import", AtLeast(2)),
    ("defaults", Exactly(2)),
    ("rstats_defaults", Exactly(2)),
    ("cstats_defaults", Exactly(2)),
    ("ftp_defaults", Exactly(2)),
    ("snmp_defaults", Exactly(2)),
    ("upnp_defaults", Exactly(2)),
    ("validate", AtLeast(2)),
];

pub(super) struct Tomato(pub(super) Generation);

impl Tool for Tomato {
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt> {
        // The driver loads its table at boot, before any command.
        DRIVER.boot(board)?;
        let Self(generation) = *self;
        Ok(match args {
            [b"get", name] => generation.get(board, name, out),
            [b"set", pair] if memchr(b'=', pair).is_some() => {
                set(board, pair, out);
                0
            }
            [b"unset", name] => {
                unset(board, name, out);
                0
            }
            [b"ren", from, to] => rename(board, from, to, out),
            [b"show", options @ ..] => match Show::parse(options) {
                Some(show) => {
                    show.run(DRIVER, board, out);
                    0
                }
                None => generation.help(out),
            },
            [b"find", text] => find::run(text, board, out),
            [b"export", options @ ..] if !options.is_empty() => {
                generation.export(options, board, out)
            }
            [b"commit"] => commit(board, out)?,
            [b"defaults", option] if !matches!(*option, b"--yes" | b"--initcheck") => {
                generation.help(out)
            }
            // It prints nothing for a name without a default.
            [b"default_get", _] if generation == Generation::Classic => 1,
            [b"backup", path] => backup::backup(board, path, out),
            [b"restore", options @ ..] => match backup::Restore::parse(options) {
                Some(restore) => restore.run(board, out)?,
                None => generation.help(out),
            },
            [b"convert", from, to] if generation == Generation::FreshTomato => {
                backup::convert(board, from, to, out)
            }
            [b"import", b"--forceall", path, ..] => import::run(board, path, out),
            [b"setfile", name, path] => file_values::set_file(board, name, path, out),
            [b"getfile", name, path] => file_values::get_file(board, name, path, out),
            [b"setfile2nvram", path] => {
                file_values::set_file(board, &[b"FILE:", *path].concat(), path, out)
            }
            [b"setfb64", name, path] => file_values::set_base64(board, name, path, out),
            [b"getfb64", name, path] => file_values::get_base64(board, name, path, out),
            [b"erase"] => erase(board, out)?,
            [command, ..] if is_unsupported(command, args.len()) => {
                out.err_line(&[
                    b"nvram: cannot run '",
                    command,
                    b"': the defaults are compiled into the real tool",
                ]);
                1
            }
            _ => generation.help(out),
        })
    }

    fn driver(&self) -> Option<&'static Driver> {
        Some(DRIVER)
    }

    fn layout(&self) -> ImageLayout {
        ImageLayout::of(DRIVER)
    }

    fn load_ram(&self, board: &Board) -> Option<Loaded> {
        Some(Loaded::Kernel(DRIVER.peek(board)))
    }

    fn load_flash(&self, board: &Board) -> Option<Loaded> {
        DRIVER.load_flash(board).map(Loaded::Kernel)
    }
}

impl Generation {
    /// `get_main`: FreshTomato treats an empty value as missing.
    fn get(self, board: &mut Board, name: &[u8], out: &mut OutputBuffers) -> u8 {
        match get(board, name) {
            Some(value) if !value.is_empty() || self == Self::Classic => {
                out.line(&[&value]);
                0
            }
            _ => 1,
        }
    }

    /// `export_main`. Options after the first one are ignored, except for `--nodefaults`.
    fn export(self, options: &[&[u8]], board: &mut Board, out: &mut OutputBuffers) -> u8 {
        let nodefaults = options.iter().position(|option| *option == b"--nodefaults");
        let first = match nodefaults {
            Some(_) if options.len() < 2 => return self.help(out),
            Some(0) => options[1],
            _ => options[0],
        };
        match export::Format::parse(first) {
            None => self.help(out),
            Some(export::Format::Dump | export::Format::Dump0) if nodefaults.is_some() => {
                self.help(out)
            }
            Some(_) if nodefaults.is_some() => {
                out.err_line(&[
                    b"nvram: cannot export --nodefaults: the defaults are compiled into the real tool",
                ]);
                1
            }
            Some(format) => {
                export::run(format, board, out);
                0
            }
        }
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

/// `erase_main`: `mtd-erase -d nvram`, which erases the partition and exits with 1 when it has (`_unlock_erase`, rc/mtd.c).
/// RAM keeps its variables until the reboot.
fn erase(board: &mut Board, out: &mut OutputBuffers) -> Result<u8, Halt> {
    out.line(&[b"Erasing nvram..."]);
    let geometry = board.flash.geometry();
    for block in 0..geometry.blocks() {
        let start = block * geometry.erase_block;
        let last = start + geometry.erase_block - 1;
        out.line(&[format!("Erasing {start:#x} - {last:#x}").as_bytes()]);
        if !Halt::check(board.flash.erase(block))? {
            out.err_line(&[b"MEMERASE: Input/output error"]);
            out.line(&[b"\nError erasing MTD"]);
            return Ok(0);
        }
    }
    out.line(&[b"\"nvram\" successfully erased."]);
    Ok(1)
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
