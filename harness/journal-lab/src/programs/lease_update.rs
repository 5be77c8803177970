//! `lease-update` with a journal. Each change is one script call.

use std::ffi::OsStr;
use std::net::Ipv4Addr;

use lease_journal::{Journal, OperationError, StoreError};
use lease_script::journal;
use lease_script::{Call, Config, Environment};

use super::client;
use super::program::{LoadResult, Program};
use crate::leases::Leases;
use disk_model::Disk;

const LIVE: &str = "dhcpd.leases";

/// `lease-update`, which keeps no state between calls.
pub(super) struct LeaseUpdate;

fn call(
    disk: &mut Disk,
    words: &[&str],
    ends: Option<u64>,
) -> Result<lease_script::Outcome, OperationError> {
    let mut environment = Environment::default();
    if let Some(ends) = ends {
        environment.set("DNSMASQ_LEASE_EXPIRES", ends.to_string());
    }
    // Automatic rewrites are disabled, because the tasks trigger rewrites.
    // With `strict`, a call fails if it cannot read the store, which then counts as a missing database.
    let config = Config { rewrite_size: 0, strict: true, ..Config::default() };
    let call = Call::new(words.iter().map(|word| word.as_bytes()), environment);
    let outcome = journal::run(&call, &config, OsStr::new(LIVE), disk, 0);
    disk.close_all();
    if outcome.killed { Err(OperationError::Killed) } else { Ok(outcome) }
}

impl Program for LeaseUpdate {
    fn load(&mut self, disk: &mut Disk) -> Result<LoadResult, OperationError> {
        let outcome = call(disk, &["init"], None)?;
        let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
        let lease = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            Some((words.get(2)?.parse().ok()?, words.first()?.parse().ok()?))
        };
        let leases: Option<Leases> = text.lines().map(lease).collect();
        let damaged = leases.is_none() || !outcome.stderr.is_empty();
        Ok(LoadResult { leases: leases.filter(|_| outcome.exit == 0), damaged })
    }

    fn commit(
        &mut self,
        disk: &mut Disk,
        address: Ipv4Addr,
        ends: u64,
    ) -> Result<bool, OperationError> {
        let (hardware, hostname) = (client::hardware_text(address), client::hostname(address));
        let words = ["add", &hardware, &address.to_string(), &hostname];
        Ok(call(disk, &words, Some(ends))?.exit == 0)
    }

    fn rewrite(&mut self, disk: &mut Disk) -> Result<(), OperationError> {
        let done =
            Journal::open(disk, OsStr::new(LIVE), 0).and_then(|mut journal| journal.compact(0));
        disk.close_all();
        match done {
            Err(StoreError::Killed) => Err(OperationError::Killed),
            // After an error the live file is unchanged.
            Ok(()) | Err(StoreError::Failed(_)) => Ok(()),
        }
    }
}
