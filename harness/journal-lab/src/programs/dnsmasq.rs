//! dnsmasq with its own lease file (lease.c `lease_update_file`). For every change, dnsmasq calls `rewind` and
//! `ftruncate(0)`, writes all lines, and calls `fsync`.

use std::ffi::OsStr;
use std::net::Ipv4Addr;

use lease_journal::{FileSystem, Handle, Mode, OperationError, append_all};

use super::client;
use super::program::{LoadResult, Program, or_killed};
use crate::leases::Leases;
use disk_model::Disk;
use dnsmasq_model::LeaseLine;

const LIVE: &str = "dnsmasq.leases";

/// A running dnsmasq.
#[derive(Default)]
pub(super) struct Dnsmasq {
    leases: Leases,
    file: Option<Handle>,
}

impl Program for Dnsmasq {
    fn load(&mut self, disk: &mut Disk) -> Result<LoadResult, OperationError> {
        let live = OsStr::new(LIVE);
        // fopen(…, "a+") creates the file if it does not exist.
        let file = match or_killed(disk.open(live, Mode::Append))? {
            Some(file) => file,
            None => disk.open(live, Mode::CreateNew)?,
        };
        let text = disk.read(file)?;
        let (leases, damaged) = read_leases(&text);
        self.leases.clone_from(&leases);
        self.file = Some(file);
        Ok(LoadResult { leases: Some(leases), damaged })
    }

    fn commit(
        &mut self,
        disk: &mut Disk,
        address: Ipv4Addr,
        ends: u64,
    ) -> Result<bool, OperationError> {
        self.leases.insert(address, ends);
        self.rewrite(disk)?;
        Ok(true)
    }

    fn rewrite(&mut self, disk: &mut Disk) -> Result<(), OperationError> {
        let Some(file) = self.file else { return Ok(()) };
        let mut text = Vec::new();
        for (address, ends) in &self.leases {
            let (time, address_text) = (ends.to_string(), address.to_string());
            let (hardware, hostname) =
                (client::hardware_text(*address), client::hostname(*address));
            let line = LeaseLine {
                time: time.as_bytes(),
                id: hardware.as_bytes(),
                address: address_text.as_bytes(),
                hostname: hostname.as_bytes(),
                client_id: LeaseLine::NONE,
            };
            text.extend(line.to_bytes());
            text.push(b'\n');
        }
        let written = disk
            .truncate(file, 0)
            .and_then(|()| append_all(disk, file, &text))
            .and_then(|()| disk.fsync(file));
        or_killed(written).map(|_| ())
    }
}

/// Parses a lease file as `read_leases` does: `fscanf` reads five fields for each lease. Returns the leases, and whether
/// some of the data could not be read.
fn read_leases(text: &[u8]) -> (Leases, bool) {
    let text = String::from_utf8_lossy(text);
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let mut leases = Leases::new();
    let mut damaged = false;
    for line in fields.chunks(5) {
        let lease = match line {
            [ends, _, address, _, _] => ends.parse().ok().zip(address.parse::<Ipv4Addr>().ok()),
            _ => None,
        };
        match lease {
            Some((ends, address)) => {
                leases.insert(address, ends);
            }
            None => damaged = true,
        }
    }
    (leases, damaged)
}
