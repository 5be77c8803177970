//! Errors of the ids of households.

use dnsmasq_model::ReleaseError;
use nvram_emu::dialect::UnknownDialect;

/// The version of the text form that this leaselab reads and writes.
pub(super) const VERSION: &str = "f1";

/// Why a text is not the id of a household.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HouseholdIdError {
    /// The text is not an id.
    #[error("invalid id `{0}`: expected one like {VERSION}:01234567:1:42:200:openwrt:good:shell")]
    Form(String),
    /// The id is of this version.
    #[error("an id of version `{0}`; this leaselab reads {VERSION}")]
    Version(String),
    /// The checksum is that of another household.
    #[error(
        "`{0}`: this leaselab generates another household from that seed; the id is of another version"
    )]
    OtherHousehold(String),
    /// The release is not known.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The dialect is not known.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
}
