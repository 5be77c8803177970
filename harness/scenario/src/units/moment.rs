//! Readings of clocks.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::seconds::Seconds;
use super::unit_error::UnitError;
use super::written_as_text::written_as_text;

/// A reading of a clock: a date in RFC 3339 (`"1970-01-01T00:00:30Z"`), or a distance from the clock's current reading
/// (`"+3y"`, `"-5m"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Seconds since the epoch.
    At(i64),
    /// Seconds to add to the clock's current reading.
    By(i64),
}

impl FromStr for Moment {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        if let Some(rest) = text.strip_prefix('+') {
            return Ok(Self::By(rest.parse::<Seconds>()?.0 as i64));
        }
        if let Some(rest) = text.strip_prefix('-') {
            return Ok(Self::By(-(rest.parse::<Seconds>()?.0 as i64)));
        }
        text.parse::<Timestamp>()
            .map(|stamp| Self::At(stamp.as_second()))
            .map_err(|_| UnitError::Moment(text.to_owned()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::At(second) => match Timestamp::from_second(second) {
                Ok(stamp) => write!(f, "{stamp}"),
                Err(_) => write!(f, "@{second}"),
            },
            Self::By(seconds) if seconds < 0 => write!(f, "-{}", Seconds(seconds.unsigned_abs())),
            Self::By(seconds) => write!(f, "+{}", Seconds(seconds as u64)),
        }
    }
}

written_as_text!(
    Moment,
    "string",
    "A date in RFC 3339, for example 2026-01-31T12:00:00Z, or a distance such as +3y or -5m."
);

/// The reading of the router's wall clock at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BootClock {
    /// A battery-backed clock: the true time.
    #[default]
    Kept,
    /// No battery-backed clock: 1970-01-01T00:00:00Z.
    Epoch,
    /// A fixed date, such as the build date of an image, or a distance from the true time, for example for a clock that
    /// is wrong by months.
    Moment(Moment),
}

impl FromStr for BootClock {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        match text {
            "kept" => Ok(Self::Kept),
            "1970" => Ok(Self::Epoch),
            _ => text.parse().map(Self::Moment).map_err(|_| UnitError::BootClock(text.to_owned())),
        }
    }
}

impl fmt::Display for BootClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("kept"),
            Self::Epoch => f.write_str("1970"),
            Self::Moment(moment) => moment.fmt(f),
        }
    }
}

written_as_text!(
    BootClock,
    ["string", "integer"],
    "The reading of the wall clock at boot: kept (the true time), 1970, a date, or a distance from the true time."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_parsed() {
        assert_eq!("1970-01-01T00:00:30Z".parse(), Ok(Moment::At(30)));
        assert_eq!("-5m".parse(), Ok(Moment::By(-300)));
        assert_eq!("1970".parse(), Ok(BootClock::Epoch));
        assert_eq!("-540d".parse(), Ok(BootClock::Moment(Moment::By(-46_656_000))));
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
