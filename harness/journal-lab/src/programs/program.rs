//! The interface of an emulated program.

use std::net::Ipv4Addr;

use crate::leases::Leases;
use disk_model::Disk;
use lease_journal::OperationError;

/// The database that a program loads at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoadResult {
    /// The leases, or `None` if the program does not start.
    pub(crate) leases: Option<Leases>,
    /// Whether the program could not read some of the data.
    pub(crate) damaged: bool,
}

/// A program that keeps leases in files.
pub(crate) trait Program {
    /// Opens and reads the files, as at a start.
    ///
    /// # Errors
    /// Returns [`OperationError::Killed`] if a cut occurs, or an I/O error that the program does not handle.
    fn load(&mut self, disk: &mut Disk) -> Result<LoadResult, OperationError>;

    /// Starts the program. It reads its files and may rewrite them.
    ///
    /// # Errors
    /// Returns the errors of [`Self::load`] and [`Self::rewrite`].
    fn start(&mut self, disk: &mut Disk) -> Result<LoadResult, OperationError> {
        self.load(disk)
    }

    /// Stores a lease. Returns whether the program acknowledges it to the client.
    ///
    /// # Errors
    /// Returns [`OperationError::Killed`] if a cut occurs.
    fn commit(
        &mut self,
        disk: &mut Disk,
        address: Ipv4Addr,
        ends: u64,
    ) -> Result<bool, OperationError>;

    /// Rewrites the database, as the program does from time to time.
    ///
    /// # Errors
    /// Returns [`OperationError::Killed`] if a cut occurs, or an I/O error that the program does not handle.
    fn rewrite(&mut self, disk: &mut Disk) -> Result<(), OperationError>;
}

/// Returns the value of an operation, or `None` after an I/O error, which the emulated programs ignore.
///
/// # Errors
/// Returns [`OperationError::Killed`] if a cut has occurred.
pub(super) fn or_killed<T>(result: Result<T, OperationError>) -> Result<Option<T>, OperationError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(OperationError::Killed) => Err(OperationError::Killed),
        Err(OperationError::Io(_)) => Ok(None),
    }
}
