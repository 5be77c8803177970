//! `nvram get NAME`, the most frequent call of scripts, without loading the whole device.
//!
//! Reads the store in pieces and stops at its end, because page faults dominate the cost of a short process.
//! Handles only the common case. For all other cases (a header at another offset, damage, a short file, a variable
//! that is derived from the header) the functions return `None`, and the caller loads the device.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use memchr::memchr;

use super::settings::Settings;
use super::store::proc_mtd;
use crate::dialect::{Dialect, KERNEL_HEADER, KERNEL_MAGIC, openwrt};
use crate::flsh::{HEADER_LEN, Header, MAGIC};
use crate::machine::{CommandOutput, Exit};

/// Size of the read buffer. Longer entries are not handled.
const PIECE: usize = 4096;
const MIN_SPACE: u64 = 0x8000;

/// The output of `get NAME` in the common case. Needs no lock, since files are replaced atomically.
pub(super) fn get(settings: &Settings, args: &[&[u8]]) -> Option<CommandOutput> {
    let [b"get", name] = args else {
        return None;
    };
    if settings.cut.is_some()
        || name.is_empty()
        || name.starts_with(b"sdram_")
        || name.contains(&b'=')
    {
        return None;
    }
    let (found, missing) = match settings.config.dialect {
        Dialect::OpenWrt | Dialect::OpenWrtArm => (openwrt_value(settings, name)?, 1),
        Dialect::Broadcom => (kernel_value(settings, name)?, 0),
        _ => return None,
    };
    let (stdout, exit) = match found {
        Some(mut value) => {
            value.push(b'\n');
            (value, 0)
        }
        None => (Vec::new(), missing),
    };
    Some(CommandOutput { stdout, stderr: Vec::new(), exit: Exit::Code(exit) })
}

type Value = Option<Vec<u8>>;

fn openwrt_value(settings: &Settings, name: &[u8]) -> Option<Value> {
    let flash_size = || std::fs::metadata(&settings.flash).ok().map(|flash| flash.len());
    let mut part_size = None;
    if settings.proc_mtd.is_some() {
        let proc_mtd = proc_mtd(settings.proc_mtd.as_deref()).ok()?;
        part_size = Some(u64::from(openwrt::part_size(&proc_mtd, flash_size()? as u32)?));
    }
    let (mut file, len) = if let Some(staging) = open_file(&settings.staging)? {
        part_size = part_size.or_else(flash_size);
        staging
    } else {
        let flash = open_file(&settings.flash)??;
        part_size = part_size.or(Some(flash.1));
        flash
    };
    if len < MIN_SPACE || part_size? != len {
        return None;
    }
    scan(
        &mut file,
        HEADER_LEN,
        |head| Header::read(head).is_some_and(|header| header.magic == MAGIC),
        name,
    )
}

fn kernel_value(settings: &Settings, name: &[u8]) -> Option<Value> {
    let (mut file, _) = open_file(&settings.staging)??;
    scan(&mut file, KERNEL_HEADER, |head| head.starts_with(KERNEL_MAGIC), name)
}

/// A regular file and its length; `Some(None)` if there is no such file.
#[expect(
    clippy::option_option,
    reason = "the outer None stands for a case that is not handled here"
)]
fn open_file(path: &Path) -> Option<Option<(File, u64)>> {
    match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata().ok()?;
            metadata.is_file().then(|| Some((file, metadata.len())))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Some(None),
        Err(_) => None,
    }
}

/// The last value of `name` in the entries after the first `skip` bytes, which `is_valid` must accept.
fn scan(
    file: &mut File,
    skip: usize,
    is_valid: impl Fn(&[u8]) -> bool,
    name: &[u8],
) -> Option<Value> {
    let mut buffer = [0; PIECE];
    let mut filled = file.read(&mut buffer).ok()?;
    if filled < skip || !is_valid(&buffer[..filled]) {
        return None;
    }
    let mut at = skip;
    let mut found = None;
    loop {
        while let Some(len) = memchr(0, &buffer[at..filled]) {
            let entry = &buffer[at..at + len];
            if entry.is_empty() {
                return Some(found);
            }
            if let Some(rest) = entry.strip_prefix(name)
                && let [b'=', value @ ..] = rest
            {
                found = Some(value.to_vec());
            } else if memchr(b'=', entry).is_none() {
                return Some(found);
            }
            at += len + 1;
        }
        if at == 0 && filled == PIECE {
            return None;
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
        at = 0;
        match file.read(&mut buffer[filled..]).ok()? {
            // The file of a driver ends after its last entry. An image that ends like this is not handled here.
            0 => return (filled == 0 && skip != HEADER_LEN).then_some(found),
            more => filled += more,
        }
    }
}
