//! The text form of household ids.

use std::fmt;
use std::str::FromStr;

use nvram_emu::Dialect;

use super::HouseholdId;
use super::generate::{MAX_EVENTS, generate};
use super::household_id_error::{HouseholdIdError, VERSION};
use dnsmasq_model::Release;
use scenario::{Rtc, to_toml};

/// Stands at the end of the script if there are faults at changes of persistent files.
const FILE_FAULTS: &str = "+files";

impl HouseholdId {
    /// Whether a text looks like the id of a household, as opposed to that of a case or a race.
    pub fn is_likely(text: &str) -> bool {
        text.starts_with('f') && text.split(':').count() > 1
    }

    /// Parses the text form.
    ///
    /// # Errors
    /// The text is not an id, or one of another version, or this leaselab generates another household for it.
    pub fn parse(text: &str) -> Result<Self, HouseholdIdError> {
        let (id, checksum) = Self::split(text)?;
        if id.checksum() != checksum {
            return Err(HouseholdIdError::OtherHousehold(text.to_owned()));
        }
        Ok(id)
    }

    fn split(text: &str) -> Result<(Self, u32), HouseholdIdError> {
        let form = || HouseholdIdError::Form(text.to_owned());
        let words: Vec<&str> = text.split(':').collect();
        if words[0] != VERSION && words.len() > 1 {
            return Err(HouseholdIdError::Version(words[0].to_owned()));
        }
        let [_, checksum, seed, case, events, dialect, rtc, script, release @ ..] =
            words.as_slice()
        else {
            return Err(form());
        };
        let release = match release {
            [] => Release::NEWEST,
            [release] => release.parse()?,
            _ => return Err(form()),
        };
        let (script, file_faults) = match script.strip_suffix(FILE_FAULTS) {
            Some(script) => (script, true),
            None => (*script, false),
        };
        let rtc = Rtc::ALL.into_iter().find(|value| value.name() == *rtc).ok_or_else(form)?;
        let id = Self {
            seed: seed.parse().map_err(|_| form())?,
            case: case.parse().map_err(|_| form())?,
            events: events
                .parse()
                .ok()
                .filter(|events| (1..=MAX_EVENTS).contains(events))
                .ok_or_else(form)?,
            dialect: Dialect::from_str(dialect)?,
            rtc,
            release,
            script: Some(script)
                .filter(|script| matches!(*script, "shell" | "naive"))
                .ok_or_else(form)?
                .to_owned(),
            file_faults,
        };
        Ok((id, u32::from_str_radix(checksum, 16).map_err(|_| form())?))
    }

    fn checksum(&self) -> u32 {
        scenario::digest::checksum(&to_toml(&generate(self), ""))
    }
}

impl fmt::Display for HouseholdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, case, events, dialect, rtc, release, script, file_faults } = self;
        let files = if *file_faults { FILE_FAULTS } else { "" };
        let rtc = rtc.name();
        write!(
            f,
            "{VERSION}:{:08x}:{seed}:{case}:{events}:{dialect}:{rtc}:{script}{files}",
            self.checksum()
        )?;
        if *release == Release::NEWEST { Ok(()) } else { write!(f, ":{release}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Release::NEWEST, false)]
    #[case(Release::OLDEST, true)]
    fn parsing_a_displayed_id_returns_the_id(#[case] release: Release, #[case] file_faults: bool) {
        let id = HouseholdId {
            seed: u64::MAX,
            case: 7,
            events: 20,
            dialect: Dialect::Tomato,
            rtc: Rtc::Broken,
            release,
            script: "naive".to_owned(),
            file_faults,
        };
        assert_eq!(HouseholdId::parse(&id.to_string()), Ok(id));
    }

    #[rstest]
    #[case("", "invalid id")]
    #[case("f1", "invalid id")]
    #[case("f0:00000000:1:2:20:openwrt:good:shell", "version `f0`")]
    #[case("f1:00000000:1:2:20:openwrt:good:shell", "another household")]
    #[case("f1:00000000:1:2:0:openwrt:good:shell", "invalid id")]
    #[case("f1:00000000:1:2:20:openwrt:fine:shell", "invalid id")]
    #[case("f1:00000000:1:2:20:vms:good:shell", "unknown dialect")]
    #[case("f1:00000000:1:2:20:openwrt:good:/bin/sh", "invalid id")]
    #[case("f1:00000000:1:2:20:openwrt:good:shell:2.32", "2.32 is not supported")]
    #[case("f1:xyz:1:2:20:openwrt:good:shell", "invalid id")]
    fn invalid_ids_are_rejected(#[case] text: &str, #[case] message: &str) {
        let error = HouseholdId::parse(text).expect_err("not an id").to_string();
        assert!(error.contains(message), "{error}");
    }
}
