//! Numbers of bytes.

use std::fmt;
use std::str::FromStr;

use super::unit_error::UnitError;
use super::written_as_text::written_as_text;

/// A number of bytes, written as a plain number, `"32 KiB"` or `"1 MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let factor = match text[digits.len()..].trim() {
            "" | "B" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            _ => return Err(UnitError::Size(text.to_owned())),
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor))
            .filter(|bytes| *bytes <= 1 << 30)
            .map(Self)
            .ok_or_else(|| UnitError::TooLarge(text.to_owned()))
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

written_as_text!(
    Bytes,
    ["string", "integer"],
    "A number of bytes, for example 512, \"32 KiB\" or \"1 MiB\"; at most 1 GiB."
);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("512", 512)]
    #[case("32 KiB", 32_768)]
    #[case("1MiB", 1_048_576)]
    fn sizes_are_parsed(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(text.parse(), Ok(Bytes(bytes)));
    }

    #[rstest]
    #[case("")]
    #[case("KiB")]
    #[case("3 kb")]
    #[case("99999999999999999999")]
    #[case("5 GiB")]
    fn invalid_sizes_are_rejected(#[case] text: &str) {
        assert!(text.parse::<Bytes>().is_err(), "{text}");
    }
}
