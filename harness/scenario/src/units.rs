//! Values with units, as written in scenario files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::{SpanRelativeTo, Timestamp, Unit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// A length of time in whole seconds, written `"90s"`, `"30m"`, `"12h"`, `"7d"` or `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seconds(pub u64);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || {
            format!("invalid length of time `{text}`: expected 90s, 30m, 12h, 7d, 2w, 3y or 1h30m")
        };
        let span: jiff::Span = text.parse().map_err(|_| invalid())?;
        // A year has no fixed length in a calendar; the lab's years are 365 days.
        let years = i64::from(span.get_years());
        if span.get_months() != 0 {
            return Err(format!(
                "invalid length of time `{text}`: months have no fixed length, use days"
            ));
        }
        let rest = span
            .years(0)
            .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
            .map_err(|_| invalid())?;
        let total = years as f64 * 365.0 * 86_400.0 + rest;
        if total < 0.0 || total.fract() != 0.0 || total > 1e12 {
            return Err(invalid());
        }
        Ok(Self(total as u64))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
            if rest >= length {
                write!(f, "{}{unit}", rest / length)?;
                rest %= length;
            }
        }
        Ok(())
    }
}

/// A number of bytes, written as a plain number, `"32 KiB"` or `"1 MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let factor = match text[digits.len()..].trim() {
            "" | "B" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            _ => {
                return Err(format!(
                    "invalid size `{text}`: expected 512, \"32 KiB\" or \"1 MiB\""
                ));
            }
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
            .filter(|bytes| *bytes <= 1 << 30)
            .map(Self)
            .ok_or_else(|| format!("invalid size `{text}`: expected at most 1 GiB"))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n != 0 && n % (1 << 20) == 0 => write!(f, "{} MiB", n >> 20),
            n if n != 0 && n % 1024 == 0 => write!(f, "{} KiB", n >> 10),
            n => write!(f, "{n}"),
        }
    }
}

/// A reading of a clock: a date in RFC 3339 (`"1970-01-01T00:00:30Z"`), or a distance from the
/// clock's present reading (`"+3y"`, `"-5m"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Seconds since the epoch.
    At(i64),
    /// Seconds to add to the clock's present reading.
    By(i64),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix('+') {
            return Ok(Self::By(rest.parse::<Seconds>()?.0 as i64));
        }
        if let Some(rest) = text.strip_prefix('-') {
            return Ok(Self::By(-(rest.parse::<Seconds>()?.0 as i64)));
        }
        text.parse::<Timestamp>().map(|stamp| Self::At(stamp.as_second())).map_err(|_| {
            format!("invalid moment `{text}`: expected 2026-01-31T12:00:00Z, or a distance such as +3y or -5m")
        })
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

/// The reading of the router's wall clock at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BootClock {
    /// A battery-backed clock: the true time.
    #[default]
    Kept,
    /// No battery-backed clock: 1970-01-01T00:00:00Z.
    Epoch,
    /// A fixed date, such as the build date of an image, or a distance from the true time, such as that of a clock that is
    /// wrong by months.
    Moment(Moment),
}

impl FromStr for BootClock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "kept" => Ok(Self::Kept),
            "1970" => Ok(Self::Epoch),
            _ => text.parse().map(Self::Moment).map_err(|_| {
                format!(
                    "invalid clock `{text}`: expected `kept` (battery-backed), `1970` (no clock), a date such as \
                     2026-01-31T12:00:00Z, or a distance such as +3y or -5m"
                )
            }),
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

/// The length of a lease: a length of time, or `"infinite"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseTime {
    /// Seconds from the grant of the lease.
    Finite(Seconds),
    /// 0xffffffff on the wire (RFC 2131 section 3.3).
    Infinite,
}

impl FromStr for LeaseTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
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

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML string.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The parameters of one case, by name.
pub type Parameters = BTreeMap<String, Scalar>;

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a whole number or a boolean")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Scalar, E> {
        Ok(Scalar::Boolean(truth))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}

struct NumberOrText<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = String>> Visitor<'_> for NumberOrText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! written_as_text {
    ($type:ident, $kinds:tt, $description:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(NumberOrText(std::marker::PhantomData))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": $kinds, "description": $description })
            }
        }
    };
}

written_as_text!(
    Seconds,
    "string",
    "A length of time, for example 90s, 30m, 12h, 7d, 3y or 1h30m."
);
written_as_text!(
    Bytes,
    ["string", "integer"],
    "A number of bytes, for example 512, \"32 KiB\" or \"1 MiB\"; at most 1 GiB."
);
written_as_text!(
    Moment,
    "string",
    "A date in RFC 3339, for example 2026-01-31T12:00:00Z, or a distance such as +3y or -5m."
);
written_as_text!(
    BootClock,
    ["string", "integer"],
    "The reading of the wall clock at boot: kept (the true time), 1970, a date, or a distance from the true time."
);
written_as_text!(
    LeaseTime,
    "string",
    "The length of a lease: a length of time, for example 12h, or `infinite`."
);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("90s", 90)]
    #[case("30m", 1_800)]
    #[case("1h30m", 5_400)]
    #[case("7d", 604_800)]
    #[case("2w", 1_209_600)]
    #[case("3y", 94_608_000)]
    fn lengths_of_time(#[case] text: &str, #[case] seconds: u64) {
        assert_eq!(text.parse(), Ok(Seconds(seconds)));
    }

    #[rstest]
    #[case("")]
    #[case("12")]
    #[case("-5m")]
    #[case("1.5s")]
    #[case("2 months")]
    #[case("999999999y")]
    fn no_lengths_of_time(#[case] text: &str) {
        assert!(text.parse::<Seconds>().is_err(), "{text}");
    }

    #[rstest]
    #[case("512", 512)]
    #[case("32 KiB", 32_768)]
    #[case("1MiB", 1_048_576)]
    fn sizes(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(text.parse(), Ok(Bytes(bytes)));
    }

    #[rstest]
    #[case("")]
    #[case("KiB")]
    #[case("3 kb")]
    #[case("99999999999999999999")]
    #[case("5 GiB")]
    fn no_sizes(#[case] text: &str) {
        assert!(text.parse::<Bytes>().is_err(), "{text}");
    }

    #[test]
    fn moments() {
        assert_eq!("1970-01-01T00:00:30Z".parse(), Ok(Moment::At(30)));
        assert_eq!("-5m".parse(), Ok(Moment::By(-300)));
        assert_eq!("1970".parse(), Ok(BootClock::Epoch));
        assert_eq!("-540d".parse(), Ok(BootClock::Moment(Moment::By(-46_656_000))));
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
