//! Lengths of time.

use std::fmt;
use std::str::FromStr;

use jiff::{SpanRelativeTo, Unit};

use super::unit_error::UnitError;
use super::written_as_text::written_as_text;

/// A length of time in whole seconds, written `"90s"`, `"30m"`, `"12h"`, `"7d"` or `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seconds(pub u64);

impl FromStr for Seconds {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let invalid = || UnitError::LengthOfTime(text.to_owned());
        let span: jiff::Span = text.parse().map_err(|_| invalid())?;
        // A year has no fixed length in a calendar; here it has 365 days.
        let years = i64::from(span.get_years());
        if span.get_months() != 0 {
            return Err(UnitError::Months(text.to_owned()));
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

written_as_text!(
    Seconds,
    "string",
    "A length of time, for example 90s, 30m, 12h, 7d, 3y or 1h30m."
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
    fn lengths_of_time_are_parsed(#[case] text: &str, #[case] seconds: u64) {
        assert_eq!(text.parse(), Ok(Seconds(seconds)));
    }

    #[rstest]
    #[case("")]
    #[case("12")]
    #[case("-5m")]
    #[case("1.5s")]
    #[case("2 months")]
    #[case("999999999y")]
    fn invalid_lengths_of_time_are_rejected(#[case] text: &str) {
        assert!(text.parse::<Seconds>().is_err(), "{text}");
    }
}
