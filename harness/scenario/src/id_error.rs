//! Errors of reproduction ids.

use std::path::PathBuf;

/// The version of the ids that this program reads and writes.
pub(super) const VERSION: &str = "c1";

/// Why a text is not a valid id, or no longer identifies a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not an id.
    #[error("invalid id `{0}`: expected {VERSION}:01234567:PATH::12a3")]
    Form(String),
    /// The id has this other version.
    #[error("id of version `{0}`: this version of leaselab reads {VERSION}")]
    Version(String),
    /// A fault of the schedule is invalid.
    #[error("invalid fault `{0}`: expected one like 12a3, 12kb3 or 12f5.1.512")]
    Fault(String),
    /// The scenario file has changed.
    #[error("{} has changed since this id was printed", .0.display())]
    FileChanged(PathBuf),
}
