//! ISC dhcpd (server/db.c `write_lease`, `commit_leases`, `new_lease_file`), and a variant that swaps the files as its old
//! manual describes.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::Ipv4Addr;

use lease_formats::dhcpd::{
    BindingState, Date, Family, Hardware, Lease, Options, View, read_bytes, write_header,
    write_lease,
};
use lease_journal::{FileSystem, Handle, Mode, OperationError, append_all};

use super::client;
use super::program::{LoadResult, Program, or_killed};
use crate::leases::Leases;
use disk_model::Disk;

/// The live file.
pub(super) const LIVE: &str = "dhcpd.leases";
const BACKUP: &str = "dhcpd.leases~";
/// Size of the stdio buffer in bytes. A rewrite consists of writes of this size.
const CHUNK: usize = 4096;

/// How the new file replaces the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swap {
    /// Calls `rename(live, ~)`, then `rename(new, live)`.
    TwoRenames,
    /// Calls `unlink(~)`, then `link(live, ~)`, then `rename(new, live)`.
    LinkAndRename,
}

/// A running dhcpd.
pub(super) struct Dhcpd {
    swap: Swap,
    leases: Leases,
    file: Option<Handle>,
    epoch: u64,
}

impl Dhcpd {
    pub(super) fn new(swap: Swap) -> Self {
        Self { swap, leases: Leases::new(), file: None, epoch: 0 }
    }

    fn swap(&self, disk: &mut Disk, temporary: &OsStr) -> Result<(), OperationError> {
        let (live, backup) = (OsStr::new(LIVE), OsStr::new(BACKUP));
        match self.swap {
            Swap::TwoRenames => disk.rename(live, backup)?,
            Swap::LinkAndRename => {
                match disk.unlink(backup) {
                    Err(OperationError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                    _ => {}
                }
                disk.link(live, backup)?;
            }
        }
        disk.rename(temporary, live)
    }

    /// Returns an unused name for the new file. The name contains the time of the rewrite.
    fn temporary(&mut self, disk: &Disk) -> OsString {
        loop {
            self.epoch += 1;
            let name = OsString::from(format!("{LIVE}.{}", self.epoch));
            if disk.contents(&name).is_none() {
                return name;
            }
        }
    }
}

fn record(address: Ipv4Addr, ends: u64) -> Vec<u8> {
    let mut lease = Lease::new(address);
    lease.ends = Date(ends.cast_signed());
    lease.cltt = Date(ends.cast_signed() - 600);
    lease.starts = lease.cltt;
    lease.state = BindingState::Active;
    lease.next_state = Some(BindingState::Free);
    lease.rewind_state = Some(BindingState::Free);
    lease.hardware = Some(Hardware { kind: 1, bytes: client::hardware(address).to_vec() });
    lease.hostname = Some(client::hostname(address).into_bytes());
    let mut text = Vec::new();
    // Writing into a Vec cannot fail, and the lease is valid.
    let _ = write_lease(&mut text, &lease);
    text
}

impl Program for Dhcpd {
    fn load(&mut self, disk: &mut Disk) -> Result<LoadResult, OperationError> {
        let Some(file) = or_killed(disk.open(OsStr::new(LIVE), Mode::Append))? else {
            // dhcpd reports "Can't open lease database" and tries no other file.
            return Ok(LoadResult { leases: None, damaged: false });
        };
        let text = disk.read(file)?;
        let mut options = Options::new(View::Dhcpd, 1);
        options.family = Some(Family::V4);
        let reading = read_bytes(&text, &options);
        self.leases = reading
            .leases()
            .filter(|lease| lease.state == BindingState::Active)
            .map(|lease| (lease.address, lease.ends.0.cast_unsigned()))
            .collect();
        self.file = Some(file);
        Ok(LoadResult {
            leases: Some(self.leases.clone()),
            damaged: !reading.diagnostics.is_empty(),
        })
    }

    /// Loads the database and rewrites it immediately, as dhcpd does. This makes damage permanent, because the new file
    /// contains only what dhcpd could read.
    fn start(&mut self, disk: &mut Disk) -> Result<LoadResult, OperationError> {
        let found = self.load(disk)?;
        if found.leases.is_some() {
            self.rewrite(disk)?;
        }
        Ok(found)
    }

    fn commit(
        &mut self,
        disk: &mut Disk,
        address: Ipv4Addr,
        ends: u64,
    ) -> Result<bool, OperationError> {
        self.leases.insert(address, ends);
        let Some(file) = self.file else { return Ok(true) };
        let written = append_all(disk, file, &record(address, ends));
        // dhcpd only logs a failed write, and still answers the client.
        if or_killed(written)?.is_some() {
            or_killed(disk.fsync(file))?;
        }
        Ok(true)
    }

    fn rewrite(&mut self, disk: &mut Disk) -> Result<(), OperationError> {
        let temporary = self.temporary(disk);
        let Some(new) = or_killed(disk.open(&temporary, Mode::Truncate))? else { return Ok(()) };
        if let Some(old) = self.file.replace(new) {
            disk.close(old);
        }
        let mut text = Vec::new();
        let _ = write_header(&mut text, None);
        for (address, ends) in &self.leases {
            text.extend(record(*address, *ends));
        }
        let mut written = Ok(());
        for chunk in text.chunks(CHUNK) {
            written = written.and_then(|()| append_all(disk, new, chunk));
        }
        let result =
            written.and_then(|()| disk.fsync(new)).and_then(|()| self.swap(disk, &temporary));
        if or_killed(result)?.is_none() {
            // The new file is removed but stays open, so all later records are lost.
            or_killed(disk.unlink(&temporary))?;
        }
        Ok(())
    }
}
