//! The id of a random household, that a person can paste.

use std::fmt;
use std::str::FromStr;

use nvram_emu::Dialect;

use super::household;
use scenario::{Rtc, to_toml};

/// The form of ids that this version reads and writes.
const VERSION: &str = "f1";

/// An id that cannot be read.
pub use scenario::IdError;

/// What determines a household: `f1:SUM:SEED:CASE:EVENTS:DIALECT:RTC:SCRIPT`, where SUM is of its text, so that an id
/// of a leaselab that draws otherwise is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// The seed of the session.
    pub seed: u64,
    /// The number of the case, from 0.
    pub case: u64,
    /// How many events.
    pub events: u32,
    /// The tool.
    pub dialect: Dialect,
    /// dnsmasq's build.
    pub rtc: Rtc,
    /// `[script] use`: `shell` or `naive`.
    pub script: String,
}

impl Id {
    /// Whether a text is meant to be an id of a household.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with('f') && text.split(':').count() > 1
    }

    /// Reads an id.
    ///
    /// # Errors
    /// When it is none, is one of another version, or this leaselab draws another household.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let (id, sum) = Self::split(text)?;
        if id.sum() != sum {
            return Err(IdError(format!(
                "`{text}`: this leaselab draws another household from that seed; the id is of another version"
            )));
        }
        Ok(id)
    }

    fn split(text: &str) -> Result<(Self, u32), IdError> {
        let form = || {
            IdError(format!(
                "`{text}` is no id such as {VERSION}:01234567:1:42:200:openwrt:good:shell"
            ))
        };
        let words: Vec<&str> = text.split(':').collect();
        if words[0] != VERSION && words.len() > 1 {
            return Err(IdError(format!(
                "an id of version `{}`; this leaselab reads {VERSION}",
                words[0]
            )));
        }
        let [_, sum, seed, case, events, dialect, rtc, script] = words.as_slice() else {
            return Err(form());
        };
        let rtc = match *rtc {
            "good" => Rtc::Good,
            "broken" => Rtc::Broken,
            _ => return Err(form()),
        };
        let id = Self {
            seed: seed.parse().map_err(|_| form())?,
            case: case.parse().map_err(|_| form())?,
            events: events
                .parse()
                .ok()
                .filter(|events| (1..=household::MAX_EVENTS).contains(events))
                .ok_or_else(form)?,
            dialect: Dialect::from_str(dialect).map_err(|error| IdError(error.to_string()))?,
            rtc,
            script: Some(*script)
                .filter(|script| matches!(*script, "shell" | "naive"))
                .ok_or_else(form)?
                .to_owned(),
        };
        Ok((id, u32::from_str_radix(sum, 16).map_err(|_| form())?))
    }

    fn sum(&self) -> u32 {
        scenario::digest::checksum(&to_toml(&household::draw(self), ""))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, case, events, dialect, rtc, script } = self;
        let rtc = match rtc {
            Rtc::Good => "good",
            Rtc::Broken => "broken",
        };
        write!(f, "{VERSION}:{:08x}:{seed}:{case}:{events}:{dialect}:{rtc}:{script}", self.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn ids_read_and_print_alike() {
        let id = Id {
            seed: u64::MAX,
            case: 7,
            events: 20,
            dialect: Dialect::Tomato,
            rtc: Rtc::Broken,
            script: "naive".to_owned(),
        };
        assert_eq!(Id::parse(&id.to_string()), Ok(id));
    }

    #[rstest]
    #[case("", "no id")]
    #[case("f1", "no id")]
    #[case("f0:00000000:1:2:20:openwrt:good:shell", "version `f0`")]
    #[case("f1:00000000:1:2:20:openwrt:good:shell", "another household")]
    #[case("f1:00000000:1:2:0:openwrt:good:shell", "no id")]
    #[case("f1:00000000:1:2:20:openwrt:fine:shell", "no id")]
    #[case("f1:00000000:1:2:20:vms:good:shell", "unknown dialect")]
    #[case("f1:00000000:1:2:20:openwrt:good:/bin/sh", "no id")]
    #[case("f1:xyz:1:2:20:openwrt:good:shell", "no id")]
    fn other_texts_are_refused(#[case] text: &str, #[case] why: &str) {
        let error = Id::parse(text).expect_err("no id").to_string();
        assert!(error.contains(why), "{error}");
    }
}
