//! `nvram get NAME`, the call that scripts make most, without loading a whole device.
//!
//! Reads the store in pieces and stops at its end: a page of memory that is never touched costs nothing, and
//! page faults are most of what a short process costs. Whatever is not the plain case (a header elsewhere,
//! damage, a short file, a variable made from the header) is left to the full way: `None`.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::process::proc_mtd;
use super::settings::Settings;
use crate::dialect::{Dialect, KERNEL_MAGIC, openwrt};
use crate::flsh::{HEADER_LEN, Header, MAGIC, find};
use crate::machine::{CommandOutput, Exit};

/// An entry that is longer is left to the full way.
const PIECE: usize = 4096;
const MIN_SPACE: u64 = 0x8000;

/// The outcome of `get NAME`, where it can be told quickly. Takes no lock: files are replaced as a whole.
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
    scan(&mut file, KERNEL_MAGIC.len() + 4, |head| head.starts_with(KERNEL_MAGIC), name)
}

/// The regular file and its length; `Some(None)` when there is none.
#[expect(clippy::option_option, reason = "the outer None means: not the plain case")]
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

/// The last value of `name` in the entries behind `skip` bytes; the first piece must please `head`.
fn scan(file: &mut File, skip: usize, head: impl Fn(&[u8]) -> bool, name: &[u8]) -> Option<Value> {
    let mut buffer = [0; PIECE];
    let mut filled = file.read(&mut buffer).ok()?;
    if filled < skip || !head(&buffer[..filled]) {
        return None;
    }
    let mut at = skip;
    let mut found = None;
    loop {
        while let Some(len) = find(&buffer[at..filled], 0) {
            let entry = &buffer[at..at + len];
            if entry.is_empty() {
                return Some(found);
            }
            if let Some(rest) = entry.strip_prefix(name)
                && let [b'=', value @ ..] = rest
            {
                found = Some(value.to_vec());
            } else if find(entry, b'=').is_none() {
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
            // The end of a driver's file; an image never ends so but is left to the full way.
            0 => return (filled == 0 && skip != HEADER_LEN).then_some(found),
            more => filled += more,
        }
    }
}
