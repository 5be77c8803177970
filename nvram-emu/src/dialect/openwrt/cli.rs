//! The command line (`main`, cli.c).

use std::sync::Arc;

use memchr::memchr;

use super::steps::{find_mtd, flash_to_staging, remove_staging, staging_to_flash};
use crate::dialect::state::{
    Board, Driver, Fault, Halt, Handle, Loaded, OpenError, OpenMode, OutputBuffers, Ram, Signal,
    Variant,
};
use crate::dialect::tool::{ImageLayout, Tool};
use crate::flsh::{CRC_START, Insert, crc8};

/// One variant of the tool.
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

    fn layout(&self) -> ImageLayout {
        ImageLayout { rule: self.0.rule, insert: Insert::Head, format: self.0.format }
    }

    fn load_ram(&self, board: &Board) -> Option<Loaded> {
        self.read(board).ok().map(Loaded::File)
    }

    fn load_flash(&self, board: &Board) -> Option<Loaded> {
        self.read_flash(board, find_mtd(board)?).ok().map(Loaded::File)
    }
}

/// A command line before its commit, as [`OpenWrt::prepare`] returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Exit code, unless [`OpenWrt::finish`] sets another one.
    pub exit: u8,
    /// Whether there was a `commit`: the staging file goes to flash next.
    pub commit: bool,
    /// Whether a command was unknown or incomplete: [`OpenWrt::finish`] prints the usage and exits with 1.
    pub usage_error: bool,
    /// Offset of the header in the staging file, if the command rewrote that file.
    pub rewritten: Option<usize>,
}

impl OpenWrt {
    /// Whether a command line opens the staging file for writing. Only the first command decides.
    pub fn writes(&self, args: &[&[u8]]) -> bool {
        match args.first() {
            Some(&(b"set" | b"unset")) => args.len() > 1,
            command => command == Some(&b"commit".as_slice()),
        }
    }

    /// The first half of a command line: opens the image, runs the commands, and rewrites the staging file
    /// if the line writes.
    ///
    /// # Errors
    /// [`Halt::Fault`] where the real tool would crash.
    pub fn prepare(
        &self,
        board: &mut Board,
        args: &[&[u8]],
        out: &mut OutputBuffers,
    ) -> Result<Prepared, Halt> {
        let failed =
            |usage_error| Prepared { exit: 1, commit: false, usage_error, rewritten: None };
        if args.is_empty() {
            return Ok(failed(true));
        }
        let write = self.writes(args);
        let mut handle = match self.open(board, write) {
            Ok(handle) => handle,
            Err(OpenError::Fault(fault)) => {
                if let (true, Ram::File(file)) = (write, &mut board.ram) {
                    let file: &mut Vec<u8> = Arc::make_mut(file);
                    Handle::crash_while_loading(file);
                }
                return Err(Halt::Fault(fault));
            }
            Err(OpenError::Refused) => {
                out.stderr.extend_from_slice(COULD_NOT_OPEN.as_bytes());
                return Ok(failed(false));
            }
        };
        let mut prepared = run_commands(&mut handle, board, args, out)?;
        if write {
            rewrite_staging(&handle, board)?;
            prepared.exit = 0;
            prepared.rewritten = Some(handle.offset() as usize);
        }
        Ok(prepared)
    }

    /// The second half of a command line: runs the commit, if there is one, and returns the exit code.
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
                cache_staging_as_flash_load(board);
                remove_staging(board);
            }
        }
        if prepared.usage_error {
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
            self.cache_flash_load_as_staging(board);
        }
        let part_size = find_mtd(board).ok_or(OpenError::Refused)?;
        match &board.ram {
            Ram::File(file) => {
                // When opened for writing, the length is checked before the variables are loaded.
                let Ok(handle) = self.read_staging(board, file, part_size) else {
                    return Handle::open(self.0, file, part_size, OpenMode::WriteStaging)
                        .map(Arc::new);
                };
                let fits = handle.header().len < handle.space();
                fits.then_some(handle).ok_or(OpenError::Refused)
            }
            _ => Err(OpenError::Refused),
        }
    }

    /// A newly created staging file equals the flash, whose load may be cached.
    fn cache_flash_load_as_staging(&self, board: &Board) {
        let cached = board.loads.flash(board.flash.version());
        if let (Ram::File(file), Some(load), Some(part_size)) =
            (&board.ram, cached, find_mtd(board))
            && let Some(Loaded::File(handle)) = load.of_size(part_size)
            && (!self.0.hardened || file.len() as u64 >= u64::from(part_size))
        {
            board.loads.put_staging(file, part_size, handle);
        }
    }

    fn read_staging(
        &self,
        board: &Board,
        file: &Arc<Vec<u8>>,
        part_size: u32,
    ) -> Result<Arc<Handle>, OpenError> {
        let load = || Handle::open(self.0, file, part_size, OpenMode::ReadStaging);
        board.loads.get_or_load_staging(file, part_size, load)
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
            Handle::open(self.0, &board.flash.bytes(), part_size, OpenMode::ReadPartition)
                .map(|handle| Loaded::File(Arc::new(handle)))
        };
        match board.loads.get_or_load_flash(board.flash.version(), part_size, load)? {
            Loaded::File(handle) => Ok(handle),
            Loaded::Kernel(_) => Err(OpenError::Refused),
        }
    }
}

fn rewrite_staging(handle: &Handle, board: &mut Board) -> Result<(), Halt> {
    let part_size = find_mtd(board);
    board.loads.forget_staging();
    if let Ram::File(file) = &mut board.ram
        && let Some(next) = handle.serialise(Arc::make_mut(file))?
        && let Some(part_size) = part_size
    {
        board.loads.put_staging(file, part_size, Arc::new(next));
    }
    Ok(())
}

/// After a complete commit, the next boot loads the contents of the staging file.
fn cache_staging_as_flash_load(board: &Board) {
    if let (Ram::File(file), Some(part_size)) = (&board.ram, find_mtd(board))
        && board.flash.holds(0, file)
        && file.len() == board.flash.geometry().size as usize
        && let Some(handle) = board.loads.staging(file, part_size)
    {
        board.loads.put_flash(board.flash.version(), part_size, Loaded::File(handle));
    }
}

/// Runs the commands of a line from left to right, up to an unknown or incomplete one. The effects of earlier commands are
/// kept.
fn run_commands(
    handle: &mut Arc<Handle>,
    board: &Board,
    args: &[&[u8]],
    out: &mut OutputBuffers,
) -> Result<Prepared, Halt> {
    let mut result = Prepared { exit: 1, commit: false, usage_error: false, rewritten: None };
    let mut args = args.iter();
    while let Some(&command) = args.next() {
        result.exit = match command {
            b"show" => show(handle, out),
            b"info" => info(handle, board, out)?,
            b"get" | b"set" | b"unset" => {
                let Some(argument) = args.next() else {
                    out.err_line(&[b"Command '", command, b"' requires an argument!"]);
                    result.usage_error = true;
                    break;
                };
                match command {
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
                out.err_line(&[b"Unknown option '", command, b"' !"]);
                result.usage_error = true;
                break;
            }
        };
    }
    Ok(result)
}

fn show(handle: &Handle, out: &mut OutputBuffers) -> u8 {
    out.stdout.reserve(handle.table.printed_len());
    for entry in handle.table.entries_reversed() {
        out.entry(entry);
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
    match memchr(b'=', pair) {
        None => 1,
        Some(eq) if handle.set(&pair[..eq], &pair[eq + 1..]) => 0,
        Some(_) => NO_MEMORY,
    }
}

/// `do_info`. Its CRC is that of the mapping, which a write command has not changed yet.
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
    let crc = calculate_crc(image, len)?;
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

/// The CRC of the `len - 9` bytes from byte 9. Whole pages are mapped, with NUL after the end of the file.
fn calculate_crc(image: &[u8], len: u32) -> Result<u8, Halt> {
    let len = len as usize;
    let mapped = image.len().next_multiple_of(4096);
    if len < CRC_START || len > mapped {
        let what = "the length in the header leaves the mapping";
        return Err(Halt::Fault(Fault { what, signal: Signal::Segv }));
    }
    let end = len.min(image.len());
    let present = image.get(CRC_START..end).unwrap_or_default();
    let crc = crc8::update(crc8::INIT, present);
    Ok((image.len()..len).fold(crc, |crc, _| crc8::update(crc, &[0])))
}
