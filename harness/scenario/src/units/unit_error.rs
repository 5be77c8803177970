//! Errors of values with units.

/// The error for a text that is not a valid value with a unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The text is not a length of time.
    #[error("invalid length of time `{0}`: expected 90s, 30m, 12h, 7d, 2w, 3y or 1h30m")]
    LengthOfTime(String),
    /// The text is a length of time in months.
    #[error("invalid length of time `{0}`: months have no fixed length, use days")]
    Months(String),
    /// The text is not a number of bytes.
    #[error("invalid size `{0}`: expected 512, \"32 KiB\" or \"1 MiB\"")]
    Size(String),
    /// The number of bytes is too large.
    #[error("invalid size `{0}`: expected at most 1 GiB")]
    TooLarge(String),
    /// The text is neither a date nor a distance in time.
    #[error(
        "invalid moment `{0}`: expected 2026-01-31T12:00:00Z, or a distance such as +3y or -5m"
    )]
    Moment(String),
    /// The text is not a reading of a clock at boot.
    #[error(
        "invalid clock `{0}`: expected `kept` (battery-backed), `1970` (no clock), a date such as 2026-01-31T12:00:00Z, \
         or a distance such as +3y or -5m"
    )]
    BootClock(String),
}
