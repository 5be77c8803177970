//! The command line (`main`, cli.c).

use std::sync::Arc;

use super::handle::{Handle, OpenError};
use super::{Variant, find_mtd, flash_to_staging, remove_staging, staging_to_flash};
use crate::dialect::Tool;
use crate::dialect::board::{Board, Halt, Loaded, OutputBuffers, Ram};
use crate::dialect::kernel::Driver;
use crate::flsh::{CRC_START, crc8, find};

/// The tool in one of its variants.
pub struct OpenWrt(pub Variant);

const USAGE: &str = "Usage:
\tnvram show
\tnvram info
\tnvram get variable
\tnvram set variable=value [set ...]
\tnvram unset variable [unset ...]
\tnvram commit
";

const COULD_NOT_OPEN: &str = "Could not open nvram! Possible reasons are:
\t- No device found (/proc not mounted or no nvram present)
\t- Insufficient permissions to open mtd device
\t- Insufficient memory to complete operation
\t- Memory mapping failed or not supported
\t- Nvram magic not found in specific nvram partition
";

/// `-ENOMEM` as an exit code.
const NO_MEMORY: u8 = 244;
/// `-1` as an exit code.
const FAILED: u8 = 255;

impl Tool for OpenWrt {
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt> {
        let prepared = self.prepare(board, args, out)?;
        self.finish(board, &prepared, out)
    }

    fn driver(&self) -> Option<&'static Driver> {
        None
    }

    fn load_ram(&self, board: &Board) -> Option<Loaded> {
        self.read(board).ok().map(Loaded::File)
    }

    fn load_flash(&self, board: &Board) -> Option<Loaded> {
        self.read_flash(board, find_mtd(board)?).ok().map(Loaded::File)
    }
}

/// How far a command has come once its words are handled and its staging file is rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Exit code, unless [`OpenWrt::finish`] has a reason for another.
    pub exit: u8,
    /// `commit` was among the words: the staging file goes to flash next.
    pub commit: bool,
    /// A wrong word: usage at the end, exit 1.
    pub wrong: bool,
    /// The staging file was rewritten.
    pub rewritten: bool,
    /// Where the header lies in the staging file.
    pub offset: usize,
}

impl OpenWrt {
    /// Only the first word decides whether a command writes the staging file.
    pub fn writes(&self, args: &[&[u8]]) -> bool {
        match args.first() {
            Some(&(b"set" | b"unset")) => args.len() > 1,
            word => word == Some(&b"commit".as_slice()),
        }
    }

    /// The first half of a command: opens, handles the words, rewrites the staging file of a write command.
    ///
    /// # Errors
    /// [`Halt::Fault`] where the real tool would crash.
    pub fn prepare(
        &self,
        board: &mut Board,
        args: &[&[u8]],
        out: &mut OutputBuffers,
    ) -> Result<Prepared, Halt> {
        let ended =
            |exit, wrong| Prepared { exit, commit: false, wrong, rewritten: false, offset: 0 };
        if args.is_empty() {
            return Ok(ended(1, true));
        }
        let write = self.writes(args);
        let mut handle = match self.open(board, write) {
            Ok(handle) => handle,
            Err(OpenError::Fault(what)) => {
                if let (true, Ram::File(file)) = (write, &mut board.ram) {
                    let file: &mut Vec<u8> = Arc::make_mut(file);
                    Handle::crash_while_loading(file);
                }
                return Err(Halt::Fault(what));
            }
            Err(OpenError::Refused) => {
                out.stderr.extend_from_slice(COULD_NOT_OPEN.as_bytes());
                return Ok(ended(1, false));
            }
        };
        let words = Words::run(&mut handle, board, args, out)?;
        if write {
            rewrite_staging(&handle, board)?;
        }
        let exit = if write { 0 } else { words.exit };
        let offset = handle.offset() as usize;
        Ok(Prepared { exit, commit: words.commit, wrong: words.wrong, rewritten: write, offset })
    }

    /// The second half: commits if asked to, and returns the exit code.
    ///
    /// # Errors
    /// [`Halt::PowerLost`] at an armed cut.
    pub fn finish(
        &self,
        board: &mut Board,
        prepared: &Prepared,
        out: &mut OutputBuffers,
    ) -> Result<u8, Halt> {
        let mut exit = prepared.exit;
        if prepared.commit {
            exit = if staging_to_flash(board)? { 0 } else { FAILED };
            if exit == 0 {
                remember_flash(board);
                remove_staging(board);
            }
        }
        if prepared.wrong {
            out.stderr.extend_from_slice(USAGE.as_bytes());
            exit = 1;
        }
        Ok(exit)
    }

    /// `nvram_open_staging` for writing, else `nvram_open_rdonly`.
    fn open(&self, board: &mut Board, write: bool) -> Result<Arc<Handle>, OpenError> {
        if !write {
            return self.read(board);
        }
        if !matches!(board.ram, Ram::File(_)) {
            if !flash_to_staging(board) {
                return Err(OpenError::Refused);
            }
            self.remember_copy(board);
        }
        let part_size = find_mtd(board).ok_or(OpenError::Refused)?;
        match &board.ram {
            Ram::File(file) => {
                // Opened for writing, the length is looked at before the variables are.
                let Ok(handle) = self.read_staging(board, file, part_size) else {
                    return Handle::open(self.0, file, part_size, true, true).map(Arc::new);
                };
                let fits = handle.header().len < handle.space();
                fits.then_some(handle).ok_or(OpenError::Refused)
            }
            _ => Err(OpenError::Refused),
        }
    }

    /// A staging file that was just copied is what the flash is, of which the load may be known.
    fn remember_copy(&self, board: &Board) {
        let known = board.loads.flash_load(board.flash.version());
        if let (Ram::File(file), Some(load), Some(part_size)) = (&board.ram, known, find_mtd(board))
            && let Some(Loaded::File(handle)) = load.of_size(part_size)
            && (!self.0.hardened || file.len() as u64 >= u64::from(part_size))
        {
            board.loads.put_staging((file, part_size), handle);
        }
    }

    fn read_staging(
        &self,
        board: &Board,
        file: &Arc<Vec<u8>>,
        part_size: u32,
    ) -> Result<Arc<Handle>, OpenError> {
        let load = || Handle::open(self.0, file, part_size, true, false);
        board.loads.staging((file, part_size), load)
    }

    /// `nvram_open_rdonly`.
    fn read(&self, board: &Board) -> Result<Arc<Handle>, OpenError> {
        let part_size = find_mtd(board).ok_or(OpenError::Refused)?;
        match &board.ram {
            Ram::File(file) => self.read_staging(board, file, part_size),
            _ => self.read_flash(board, part_size),
        }
    }

    fn read_flash(&self, board: &Board, part_size: u32) -> Result<Arc<Handle>, OpenError> {
        let load = || {
            Handle::open(self.0, &board.flash.bytes(), part_size, false, false)
                .map(|handle| Loaded::File(Arc::new(handle)))
        };
        match board.loads.get((board.flash.version(), part_size), load)? {
            Loaded::File(handle) => Ok(handle),
            Loaded::Kernel(_) => Err(OpenError::Refused),
        }
    }
}

fn rewrite_staging(handle: &Handle, board: &mut Board) -> Result<(), Halt> {
    let part_size = find_mtd(board);
    // What was read of the file is over: nobody else holds it, and it can be changed in place.
    board.loads.forget_staging();
    if let Ram::File(file) = &mut board.ram
        && let Some(next) = handle.serialise(Arc::make_mut(file))?
        && let Some(part_size) = part_size
    {
        board.loads.put_staging((file, part_size), Arc::new(next));
    }
    Ok(())
}

/// A staging file that has gone to flash whole is what the next boot reads.
fn remember_flash(board: &Board) {
    if let (Ram::File(file), Some(part_size)) = (&board.ram, find_mtd(board))
        && board.flash.holds(0, file)
        && file.len() == board.flash.geometry().size as usize
        && let Some(handle) = board.loads.known_staging((file, part_size))
    {
        board.loads.put_flash((board.flash.version(), part_size), Loaded::File(handle));
    }
}

/// What the words of a command line came to.
struct Words {
    exit: u8,
    commit: bool,
    wrong: bool,
}

impl Words {
    /// Handles the words from left to right; a wrong one ends it, earlier ones are kept.
    fn run(
        handle: &mut Arc<Handle>,
        board: &Board,
        args: &[&[u8]],
        out: &mut OutputBuffers,
    ) -> Result<Self, Halt> {
        let mut result = Self { exit: 1, commit: false, wrong: false };
        let mut words = args.iter();
        while let Some(&word) = words.next() {
            result.exit = match word {
                b"show" => show(handle, out),
                b"info" => info(handle, board, out)?,
                b"get" | b"set" | b"unset" => {
                    let Some(argument) = words.next() else {
                        out.err_line(&[b"Command '", word, b"' requires an argument!"]);
                        result.wrong = true;
                        break;
                    };
                    match word {
                        b"get" => get(handle, argument, out),
                        b"set" => set(Arc::make_mut(handle), argument),
                        _ => {
                            Arc::make_mut(handle).table.unset(argument);
                            0
                        }
                    }
                }
                b"commit" => {
                    result.commit = true;
                    result.exit
                }
                _ => {
                    out.err_line(&[b"Unknown option '", word, b"' !"]);
                    result.wrong = true;
                    break;
                }
            };
        }
        Ok(result)
    }
}

fn show(handle: &Handle, out: &mut OutputBuffers) -> u8 {
    out.stdout.reserve(handle.table.printed_len());
    for text in handle.table.texts_reversed() {
        out.text(text);
    }
    u8::from(handle.table.is_empty())
}

fn get(handle: &Handle, name: &[u8], out: &mut OutputBuffers) -> u8 {
    match handle.table.get(name) {
        Some(value) => {
            out.line(&[value]);
            0
        }
        None => 1,
    }
}

fn set(handle: &mut Handle, pair: &[u8]) -> u8 {
    match find(pair, b'=') {
        None => 1,
        Some(eq) if handle.set(&pair[..eq], &pair[eq + 1..]) => 0,
        Some(_) => NO_MEMORY,
    }
}

/// `do_info`; the bytes are those of the mapping, which a write command has not yet changed.
fn info(handle: &Handle, board: &Board, out: &mut OutputBuffers) -> Result<u8, Halt> {
    let bytes = match &board.ram {
        Ram::File(file) => std::borrow::Cow::Borrowed(&file[..]),
        _ => board.flash.bytes(),
    };
    let header = handle.header();
    let (space, mut len) = (handle.space(), header.len);
    if handle.hardened() {
        len = len.min(space).max(CRC_START as u32);
    }
    let image = &bytes[(handle.offset() as usize).min(bytes.len())..];
    let crc = calculated(image, len)?;
    let percent = 100.0 / f64::from(space) * f64::from(len);
    let (stored, version, init) = (header.crc(), header.version(), header.sdram_init());
    let (config, refresh, ncdl) =
        (header.sdram_config(), header.sdram_refresh(), header.config_ncdl);
    let text = format!(
        "Magic:         0x{:08X}\n\
         Length:        0x{:08X}\n\
         Offset:        0x{:08X}\n\
         CRC8:          0x{stored:02X} (calculated: 0x{crc:02X})\n\
         Version:       0x{version:02X}\n\
         SDRAM init:    0x{init:04X}\n\
         SDRAM config:  0x{config:04X}\n\
         SDRAM refresh: 0x{refresh:04X}\n\
         NCDL values:   0x{ncdl:08X}\n\n\
         {} bytes used / {} bytes available ({percent:.2}%)\n",
        header.magic,
        header.len,
        handle.offset(),
        len as i32,
        space.wrapping_sub(len) as i32,
    );
    out.stdout.extend_from_slice(text.as_bytes());
    Ok(0)
}

/// The CRC over `len - 9` bytes from byte 9, as far as they are mapped: whole pages, NUL behind the file's end.
fn calculated(image: &[u8], len: u32) -> Result<u8, Halt> {
    let len = len as usize;
    let mapped = image.len().next_multiple_of(4096);
    if len < CRC_START || len > mapped {
        return Err(Halt::Fault("the length in the header leaves the mapping"));
    }
    let there =
        &image[CRC_START.min(image.len())..len.min(image.len()).max(CRC_START.min(image.len()))];
    let crc = crc8::update(crc8::INIT, there);
    Ok((image.len()..len).fold(crc, |crc, _| crc8::update(crc, &[0])))
}
