//! Texts that are no value with a unit.

/// A text that is no value with a unit, and the value that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No length of time.
    #[error("invalid length of time `{0}`: expected 90s, 30m, 12h, 7d, 2w, 3y or 1h30m")]
    LengthOfTime(String),
    /// A length of time in months.
    #[error("invalid length of time `{0}`: months have no fixed length, use days")]
    Months(String),
    /// No number of bytes.
    #[error("invalid size `{0}`: expected 512, \"32 KiB\" or \"1 MiB\"")]
    Size(String),
    /// Too many bytes.
    #[error("invalid size `{0}`: expected at most 1 GiB")]
    TooLarge(String),
    /// No date, and no distance in time.
    #[error(
        "invalid moment `{0}`: expected 2026-01-31T12:00:00Z, or a distance such as +3y or -5m"
    )]
    Moment(String),
    /// No reading of a clock at boot.
    #[error(
        "invalid clock `{0}`: expected `kept` (battery-backed), `1970` (no clock), a date such as 2026-01-31T12:00:00Z, \
         or a distance such as +3y or -5m"
    )]
    BootClock(String),
}
