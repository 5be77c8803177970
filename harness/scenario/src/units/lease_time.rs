//! Lengths of leases.

use std::fmt;
use std::str::FromStr;

use super::seconds::Seconds;
use super::unit_error::UnitError;
use super::written_as_text::written_as_text;

/// The length of a lease: a length of time, or `"infinite"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseTime {
    /// Seconds from the grant of the lease.
    Finite(Seconds),
    /// 0xffffffff on the wire (RFC 2131 section 3.3).
    Infinite,
}

impl FromStr for LeaseTime {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        match text {
            "infinite" => Ok(Self::Infinite),
            _ => text.parse().map(Self::Finite),
        }
    }
}

impl fmt::Display for LeaseTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Infinite => f.write_str("infinite"),
            Self::Finite(seconds) => seconds.fmt(f),
        }
    }
}

written_as_text!(
    LeaseTime,
    "string",
    "The length of a lease: a length of time, for example 12h, or `infinite`."
);
