//! The programs, call by call as they were seen to work.

mod client;
mod dhcpd;
mod dnsmasq;
mod kea;
mod ours;

use std::net::Ipv4Addr;

use super::{Leases, Strategy};
use disk_model::Disk;
use lease_journal::OperationError;

/// What a program finds at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The leases; `None`: it does not start.
    pub leases: Option<Leases>,
    /// Whether something was there that it could not read.
    pub damaged: bool,
}

/// A program that keeps leases in files.
pub trait Program {
    /// Starts: reads, and does what it does to the files before the first change.
    ///
    /// # Errors
    /// Only [`OperationError::Killed`].
    fn start(&mut self, disk: &mut Disk) -> Result<Found, OperationError>;

    /// Stores a lease; true when its client is told that it has it.
    ///
    /// # Errors
    /// Only [`OperationError::Killed`].
    fn commit(
        &mut self,
        disk: &mut Disk,
        address: Ipv4Addr,
        ends: u64,
    ) -> Result<bool, OperationError>;

    /// Rewrites its files, because it is time.
    ///
    /// # Errors
    /// Only [`OperationError::Killed`].
    fn rewrite(&mut self, disk: &mut Disk) -> Result<(), OperationError>;
}

/// A program that has just been started.
pub(super) fn program(strategy: Strategy) -> Box<dyn Program> {
    match strategy {
        Strategy::OldManual => Box::new(dhcpd::Dhcpd::new(dhcpd::Swap::TwoRenames)),
        Strategy::Dhcpd44 | Strategy::Dhcpd44NoLink => {
            Box::new(dhcpd::Dhcpd::new(dhcpd::Swap::LinkAndRename))
        }
        Strategy::Dnsmasq => Box::new(dnsmasq::Dnsmasq::default()),
        Strategy::Kea => Box::new(kea::Kea::default()),
        Strategy::Ours => Box::new(ours::Ours),
    }
}

/// The files with which a machine is installed.
pub(super) fn install(strategy: Strategy, disk: &mut Disk) {
    if matches!(strategy, Strategy::OldManual | Strategy::Dhcpd44 | Strategy::Dhcpd44NoLink) {
        // dhcpd does not start without one.
        disk.place(dhcpd::LIVE, b"");
    }
}

/// An error that is not the end of everything is what it is to the program.
fn or_killed<T>(result: Result<T, OperationError>) -> Result<Option<T>, OperationError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(OperationError::Killed) => Err(OperationError::Killed),
        Err(OperationError::Io(_)) => Ok(None),
    }
}
