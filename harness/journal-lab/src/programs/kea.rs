//! The memfile back end of Kea 2.2 and its lease file cleanup (modelled on `memfile_lease_mgr.cc`, `lfc_controller.cc`, and
//! a trace of the system calls). Kea appends rows and never syncs anything.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use lease_journal::{FileSystem, Handle, Mode, OperationError, append_all};

use super::client;
use super::program::{LoadResult, Program, or_killed};
use crate::leases::Leases;
use disk_model::Disk;

const LIVE: &str = "kea-leases4.csv";
const COPY: &str = "kea-leases4.csv.1";
const PREVIOUS: &str = "kea-leases4.csv.2";
const OUTPUT: &str = "kea-leases4.csv.output";
const COMPLETED: &str = "kea-leases4.csv.completed";
const HEADER: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";

/// A running Kea.
#[derive(Default)]
pub(super) struct Kea {
    leases: Leases,
    file: Option<Handle>,
}

fn row(address: Ipv4Addr, ends: u64) -> String {
    let (hardware, hostname) = (client::hardware_text(address), client::hostname(address));
    format!("{address},{hardware},,600,{ends},1,0,0,{hostname},0,\n")
}

/// Adds the rows of a table to `leases`. Returns `None` if the header is invalid, in which case Kea does not start. A header
/// that is truncated after the ninth or a later column is valid, like that of an older release (observed with kea-dhcp4
/// 2.2.0).
fn read_table(text: &[u8], leases: &mut Leases, damaged: &mut bool) -> Option<()> {
    let text = String::from_utf8_lossy(text);
    if text.is_empty() {
        return Some(());
    }
    let Some(rows) = text.strip_prefix(HEADER) else {
        let rest = HEADER.strip_prefix(&*text)?;
        let known = text.split(',').count() >= 9 && rest.starts_with([',', '\n']);
        return known.then_some(());
    };
    for row in rows.lines() {
        let columns: Vec<&str> = row.split(',').collect();
        let lease = match columns[..] {
            [address, _, _, _, ends, _, _, _, _, "0", _] => {
                address.parse::<Ipv4Addr>().ok().zip(ends.parse().ok())
            }
            _ => None,
        };
        match lease {
            Some((address, ends)) => {
                leases.insert(address, ends);
            }
            None => *damaged = true,
        }
    }
    Some(())
}

impl Kea {
    fn table(leases: &Leases) -> String {
        let mut text = HEADER.to_owned();
        for (address, ends) in leases {
            let _ = write!(text, "{}", row(*address, *ends));
        }
        text
    }

    /// Performs the server's part of a cleanup: renames the table to `.1` and begins a new one.
    fn rotate(&mut self, disk: &mut Disk) -> Result<(), OperationError> {
        let there = |disk: &Disk, name: &str| disk.contents(OsStr::new(name)).is_some();
        if !there(disk, COMPLETED) && !there(disk, COPY) {
            disk.rename(OsStr::new(LIVE), OsStr::new(COPY))?;
            if let Some(old) = self.file.take() {
                disk.close(old);
            }
            let file = disk.open(OsStr::new(LIVE), Mode::Truncate)?;
            append_all(disk, file, HEADER.as_bytes())?;
            self.file = Some(file);
        }
        Ok(())
    }

    /// Performs the cleanup of the program `kea-lfc`.
    fn clean_up(disk: &mut Disk) -> Result<(), OperationError> {
        if disk.contents(OsStr::new(COMPLETED)).is_none() {
            let (mut leases, mut damaged) = (Leases::new(), false);
            for name in [PREVIOUS, COPY] {
                let text = disk.contents(OsStr::new(name)).unwrap_or_default().to_vec();
                if read_table(&text, &mut leases, &mut damaged).is_none() {
                    return Ok(());
                }
            }
            let file = disk.open(OsStr::new(OUTPUT), Mode::Truncate)?;
            append_all(disk, file, Self::table(&leases).as_bytes())?;
            disk.close(file);
            disk.rename(OsStr::new(OUTPUT), OsStr::new(COMPLETED))?;
        }
        for name in [PREVIOUS, COPY] {
            or_killed(disk.unlink(OsStr::new(name)))?;
        }
        disk.rename(OsStr::new(COMPLETED), OsStr::new(PREVIOUS))
    }
}

impl Program for Kea {
    fn load(&mut self, disk: &mut Disk) -> Result<LoadResult, OperationError> {
        let text = |disk: &Disk, name: &str| disk.contents(OsStr::new(name)).map(<[u8]>::to_vec);
        let (mut leases, mut damaged) = (Leases::new(), false);
        let before = match text(disk, COMPLETED) {
            Some(completed) => vec![completed],
            None => [PREVIOUS, COPY].iter().filter_map(|name| text(disk, name)).collect(),
        };
        let live = text(disk, LIVE);
        for table in before.iter().chain(&live) {
            if read_table(table, &mut leases, &mut damaged).is_none() {
                return Ok(LoadResult { leases: None, damaged: true });
            }
        }
        let file = match live {
            Some(_) => disk.open(OsStr::new(LIVE), Mode::Append)?,
            None => disk.open(OsStr::new(LIVE), Mode::Truncate)?,
        };
        if live.is_none_or(|text| text.is_empty()) {
            append_all(disk, file, HEADER.as_bytes())?;
        }
        self.file = Some(file);
        self.leases.clone_from(&leases);
        Ok(LoadResult { leases: Some(leases), damaged })
    }

    fn commit(
        &mut self,
        disk: &mut Disk,
        address: Ipv4Addr,
        ends: u64,
    ) -> Result<bool, OperationError> {
        self.leases.insert(address, ends);
        let Some(file) = self.file else { return Ok(false) };
        let written = append_all(disk, file, row(address, ends).as_bytes());
        Ok(or_killed(written)?.is_some())
    }

    fn rewrite(&mut self, disk: &mut Disk) -> Result<(), OperationError> {
        self.rotate(disk)?;
        or_killed(Self::clean_up(disk)).map(|_| ())
    }
}
