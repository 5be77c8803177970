//! The releases of dnsmasq that this crate models.

use std::fmt;
use std::str::FromStr;

/// A release of dnsmasq, from 2.33 (the first one with `--dhcp-script`) to 2.92.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Release(u8);

/// The error for a text that does not name a known release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// The text is not a version number.
    #[error(
        "invalid release of dnsmasq {0:?}: expected a number from 2.33 to 2.92, for example 2.80"
    )]
    Invalid(String),
    /// The version was never released.
    #[error("there is no dnsmasq {0}: the next older release is {1}")]
    Missing(String, Release),
    /// The release is older than 2.33.
    #[error(
        "dnsmasq {0} is not supported: the first release with --dhcp-script and --leasefile-ro is 2.33"
    )]
    TooOld(String),
    /// The release is newer than 2.92.
    #[error("dnsmasq {0} is not supported: the newest release that is modelled is 2.92")]
    TooNew(String),
}

/// Versions that were never released. The tag v2.53 calls itself 2.54.
const MISSING: [u8; 2] = [54, 65];

impl Release {
    /// The first release with `--dhcp-script` and `--leasefile-ro`.
    pub const OLDEST: Release = Release(33);
    /// The newest release that is modelled.
    pub const NEWEST: Release = Release(92);

    /// Returns release 2.`minor` without checking that it exists.
    pub(crate) const fn new(minor: u8) -> Release {
        Release(minor)
    }

    /// Iterates over all releases, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Release> {
        (Release::OLDEST.0..=Release::NEWEST.0)
            .filter(|minor| !MISSING.contains(minor))
            .map(Release)
    }

    /// Finds the release of a program in the output of `dnsmasq --version`, or in a package version such as
    /// `2.90-4~deb12u2`.
    ///
    /// A pre-release counts as the final release, and a program newer than [`Release::NEWEST`] counts as
    /// [`Release::NEWEST`]. Returns `None` if the text names no release from 2.33 on.
    #[must_use]
    pub fn of_program(text: &str) -> Option<Release> {
        let version = text.split_whitespace().find_map(|word| {
            // A package version may have an epoch.
            let word = word.split_once(':').map_or(word, |(_, version)| version);
            word.trim_start_matches('v').strip_prefix("2.")
        })?;
        let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
        let minor: u8 = digits.parse().ok()?;
        let release = Release(minor.min(Release::NEWEST.0));
        Release::all().rfind(|known| *known <= release)
    }
}

impl Default for Release {
    fn default() -> Release {
        Release::NEWEST
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2.{}", self.0)
    }
}

impl FromStr for Release {
    type Err = ReleaseError;

    fn from_str(text: &str) -> Result<Release, ReleaseError> {
        let invalid = || ReleaseError::Invalid(text.to_owned());
        let minor = text.strip_prefix("2.").ok_or_else(invalid)?;
        if minor.len() > 3 || minor.starts_with('+') || (minor.len() > 1 && minor.starts_with('0'))
        {
            return Err(invalid());
        }
        let minor: u16 = minor.parse().map_err(|_| invalid())?;
        match u8::try_from(minor).map(Release) {
            Ok(release) if release < Release::OLDEST => Err(ReleaseError::TooOld(text.to_owned())),
            Ok(release) if release > Release::NEWEST => Err(ReleaseError::TooNew(text.to_owned())),
            Ok(release) if MISSING.contains(&release.0) => {
                Err(ReleaseError::Missing(text.to_owned(), Release(release.0 - 1)))
            }
            Ok(release) => Ok(release),
            Err(_) => Err(ReleaseError::TooNew(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_release_round_trips() {
        assert_eq!(Release::all().count(), 58);
        for release in Release::all() {
            assert_eq!(release.to_string().parse(), Ok(release));
        }
    }

    #[rstest]
    #[case(
        "2.32",
        "dnsmasq 2.32 is not supported: the first release with --dhcp-script and --leasefile-ro is 2.33"
    )]
    #[case("2.54", "there is no dnsmasq 2.54: the next older release is 2.53")]
    #[case("2.93", "dnsmasq 2.93 is not supported: the newest release that is modelled is 2.92")]
    #[case("2.300", "dnsmasq 2.300 is not supported: the newest release that is modelled is 2.92")]
    #[case(
        "80",
        "invalid release of dnsmasq \"80\": expected a number from 2.33 to 2.92, for example 2.80"
    )]
    fn an_unknown_release_is_rejected(#[case] text: &str, #[case] message: &str) {
        assert_eq!(text.parse::<Release>().map_err(|e| e.to_string()), Err(message.to_owned()));
    }

    #[rstest]
    #[case("Dnsmasq version 2.91pre  Copyright (c) 2000-2024 Simon Kelley", Some("2.91"))]
    #[case("Dnsmasq version 2.90  Copyright", Some("2.90"))]
    #[case("2.90-4~deb12u2", Some("2.90"))]
    #[case("Dnsmasq version 2.54", Some("2.53"))]
    #[case("Dnsmasq version 2.99test1", Some("2.92"))]
    #[case("Dnsmasq version 2.22", None)]
    #[case("Dnsmasq version UNKNOWN", None)]
    fn the_release_of_a_program_is_found(#[case] text: &str, #[case] release: Option<&str>) {
        assert_eq!(Release::of_program(text).map(|r| r.to_string()).as_deref(), release);
    }
}
