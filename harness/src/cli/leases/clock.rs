//! Times on the command line and in tables.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use lease_formats::dhcpd::Date;

/// The current time, in seconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Parses seconds since 1970, or a date, in UTC where it has no zone.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.as_second());
    }
    text.parse::<jiff::civil::DateTime>()
        .ok()
        .and_then(|time| time.to_zoned(TimeZone::UTC).ok())
        .map(|time| time.timestamp().as_second())
        .ok_or_else(|| {
            "expected a date, for example 2026-11-22T04:00:00, or seconds since 1970".to_owned()
        })
}

/// A date for a table.
pub(super) fn shown(date: Date) -> String {
    if date.is_absent() {
        return "-".to_owned();
    }
    if date.is_never() {
        return "never".to_owned();
    }
    jiff::Timestamp::from_second(date.0)
        .map_or_else(|_| date.0.to_string(), |time| time.to_string())
}
