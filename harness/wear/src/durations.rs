//! Lengths of time, in seconds. A month has 30 days, and a year has 365 days.

/// An hour, in seconds.
pub const HOUR: u64 = 3600;
/// A day, in seconds.
pub const DAY: u64 = 24 * HOUR;
/// 30 days, in seconds.
pub(crate) const MONTH: u64 = 30 * DAY;
/// 365 days, in seconds.
pub const YEAR: u64 = 365 * DAY;
