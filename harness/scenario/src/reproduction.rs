//! Reproduction ids of cases.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{
    AsciiSet, CONTROLS, percent_decode_str, percent_encode, utf8_percent_encode,
};

use crate::case::Case;
use crate::digest;
use crate::fault_point::ScheduledFault;
use crate::id_error::{IdError, VERSION};

/// The text of an empty schedule.
const NO_FAULT: &str = "run";

/// Characters of a path that are written as `%XX`, in addition to those that are not ASCII.
const IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b':');

/// Characters of a parameter's name or value that are written as `%XX`.
const IN_PARAMETER: &AsciiSet = &IN_PATH.add(b',').add(b'=');

/// A case and a schedule of power cuts and kills: `c1:SUM:PATH:NAME=VALUE,…:12f5.1.512+3b1`.
///
/// SUM is a hash of the file's text. The schedule is `run` if nothing disturbs the case. In the path, in
/// names and in values, bytes that have a meaning in ids and bytes that are not ASCII are written as `%XX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// Hash of the scenario file's text.
    pub sum: u32,
    /// The scenario file.
    pub path: PathBuf,
    /// The case of the file.
    pub parameters: IdParameters,
    /// The faults. The calls of each are counted from the call after the previous fault.
    pub schedule: Vec<ScheduledFault>,
}

impl Id {
    /// Creates the id of a case with a schedule.
    pub fn new(case: &Case, schedule: &[ScheduledFault]) -> Self {
        Self {
            sum: sum(case),
            path: case.source.path.clone(),
            parameters: IdParameters::of(case),
            schedule: schedule.to_vec(),
        }
    }

    /// Returns the value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.0.get(name).map(String::as_str)
    }

    /// Returns whether the id identifies this case.
    ///
    /// # Errors
    /// Returns an error if the file has changed since the id was created.
    pub fn fits(&self, case: &Case) -> Result<bool, IdError> {
        if sum(case) != self.sum {
            return Err(IdError::FileChanged(self.path.clone()));
        }
        Ok(IdParameters::of(case) == self.parameters)
    }
}

/// The parameters of a case as text. They are displayed as in an id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdParameters(BTreeMap<String, String>);

impl IdParameters {
    fn of(case: &Case) -> Self {
        let pairs = case.parameters.iter();
        Self(pairs.map(|(name, value)| (name.clone(), value.to_string())).collect())
    }
}

impl fmt::Display for IdParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let [name, value] = [name, value].map(|text| utf8_percent_encode(text, IN_PARAMETER));
            write!(f, "{}{name}={value}", if index > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl IdParameters {
    fn parse(text: &str) -> Option<Self> {
        let decode = |text: &str| percent_decode_str(text).decode_utf8().ok().map(String::from);
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            Some((decode(name)?, decode(value)?))
        };
        if text.is_empty() {
            return Some(Self::default());
        }
        text.split(',').map(pair).collect::<Option<_>>().map(Self)
    }
}

fn sum(case: &Case) -> u32 {
    digest::checksum(&case.source.text)
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = percent_encode(self.path.as_os_str().as_bytes(), IN_PATH);
        write!(f, "{VERSION}:{:08x}:{path}:{}:", self.sum, self.parameters)?;
        if self.schedule.is_empty() {
            f.write_str(NO_FAULT)?;
        }
        for (index, fault) in self.schedule.iter().enumerate() {
            write!(f, "{}{fault}", if index > 0 { "+" } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed = || IdError::Form(text.to_owned());
        let parts: Vec<&str> = text.split(':').collect();
        if parts.len() > 1 && parts[0] != VERSION {
            return Err(IdError::Version(parts[0].to_owned()));
        }
        let [_, sum, path, parameters, schedule] = parts.as_slice() else {
            return Err(malformed());
        };
        Ok(Self {
            sum: u32::from_str_radix(sum, 16).map_err(|_| malformed())?,
            path: OsString::from_vec(percent_decode_str(path).collect()).into(),
            parameters: IdParameters::parse(parameters).ok_or_else(malformed)?,
            schedule: match *schedule {
                NO_FAULT => Vec::new(),
                faults => faults.split('+').map(str::parse).collect::<Result<_, _>>()?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault_point::FaultPoint;
    use crate::point::Side;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("c1:00c0ffee:a/b.toml:dialect=openwrt,rtc=good:12f5.1.512+3kb1")]
    #[case("c1:00000001:b.toml::1p+2e+3a4+5b6+7ka8")]
    #[case("c1:00000001:b.toml:rtc=good:run")]
    #[case("c1:00000001:b.toml::3w2.7+1u4")]
    #[case("c1:00000001:it's a \"b\".toml:a=1+1:run")]
    #[case("c1:00000001:a%3Ab%25.toml:mac=02%3A00,list=a%2Cb%3Dc,empty=:run")]
    fn ids_round_trip(#[case] text: &str) {
        let id = text.parse::<Id>().expect("an id");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_parameter_may_be_a_mac_address() {
        let id: Id = "c1:00000001:b.toml:mac=02%3Aaa,rtc=good:run".parse().expect("an id");
        assert_eq!(id.parameter("mac"), Some("02:aa"));
        assert_eq!(id.parameter("rtc"), Some("good"));
        assert_eq!(id.to_string(), "c1:00000001:b.toml:mac=02%3Aaa,rtc=good:run");
    }

    #[rstest]
    #[case("")]
    #[case("c0:00000001:b.toml::1p")]
    #[case("c1:xyz:b.toml::1p")]
    #[case("c1:00000001:b.toml::")]
    #[case("c1:00000001:b.toml:rtc:1p")]
    #[case("c1:00000001:a:b.toml::1p")]
    #[case("c1:00000001:b.toml::0p")]
    #[case("c1:00000001:b.toml::1f0.1.2")]
    #[case("c1:00000001:b.toml::1p+")]
    fn invalid_ids_are_rejected(#[case] text: &str) {
        assert!(text.parse::<Id>().is_err());
    }

    fn fault() -> impl Strategy<Value = ScheduledFault> {
        let side = prop_oneof![Just(Side::Before), Just(Side::After)];
        let point =
            prop_oneof![
                Just(FaultPoint::BeforeCall),
                Just(FaultPoint::AfterCall),
                (side.clone(), 1..9_u32).prop_map(|(side, nth)| FaultPoint::Cut(side, nth)),
                (side, 1..9_u32).prop_map(|(side, nth)| FaultPoint::Kill(side, nth)),
                (1..9_u32, any::<u32>(), any::<u32>())
                    .prop_map(|(nth, op, byte)| FaultPoint::Within { nth, op, byte }),
                (1..9_u32, any::<u32>())
                    .prop_map(|(changes, state)| FaultPoint::FileChange { changes, state }),
                (1..9_u32).prop_map(FaultPoint::KillAtFileChange),
                any::<u32>().prop_map(FaultPoint::AfterCallUnsynced),
            ];
        (1..u32::MAX, point).prop_map(|(call, point)| ScheduledFault { call, point })
    }

    proptest! {
        #[test]
        fn random_ids_round_trip(
            sum: u32,
            path in vec(1..=u8::MAX, 1..20),
            parameters in btree_map(".*", ".*", 0..4),
            schedule in vec(fault(), 0..4),
        ) {
            let path = OsString::from_vec(path).into();
            let id = Id { sum, path, parameters: IdParameters(parameters), schedule };
            let text = id.to_string();
            prop_assert_eq!(text.parse::<Id>(), Ok(id));
            prop_assert!(text.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
        }
    }
}
