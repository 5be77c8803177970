//! Where power goes or a script is killed: one strike, a schedule of them, and the id that a person can paste.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::digest;
use super::disturbance::Disturbance;
use super::load::Case;
use super::point::{Point, Side};

/// The form of ids that this version reads and writes.
const VERSION: &str = "c1";

/// The schedule without a strike.
const NO_STRIKE: &str = "run";

/// What strikes one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultPoint {
    /// Power goes before the call begins. `p`
    Between,
    /// Power goes when the call has ended and returned. `e`
    Ended,
    /// Power goes beside an `nvram` command, counted from 1. `b3`, `a3`
    Cut(Side, u32),
    /// The script is killed there. `kb3`, `ka3`
    Kill(Side, u32),
    /// Power goes in flash operation `op` (from 0) of command `nth`, after `byte` bytes. `f5.1.512`
    Within {
        /// Number of the command, from 1.
        nth: u32,
        /// Number of its operation, from 0.
        op: u32,
        /// Bytes that are done.
        byte: u32,
    },
}

impl FaultPoint {
    /// The same for a target; `None` where the call is not reached, or not disturbed.
    pub fn disturbance(self) -> Option<Disturbance> {
        match self {
            Self::Between | Self::Ended => None,
            Self::Cut(side, nth) => Some(Disturbance::Cut(Point::Command(side, nth))),
            Self::Kill(side, nth) => Some(Disturbance::Kill(Point::Command(side, nth))),
            Self::Within { nth, op, byte } => {
                Some(Disturbance::Cut(Point::Within { nth, op, byte }))
            }
        }
    }
}

impl fmt::Display for FaultPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Side| match side {
            Side::Before => 'b',
            Side::After => 'a',
        };
        match self {
            Self::Between => f.write_str("p"),
            Self::Ended => f.write_str("e"),
            Self::Cut(at, nth) => write!(f, "{}{nth}", side(at)),
            Self::Kill(at, nth) => write!(f, "k{}{nth}", side(at)),
            Self::Within { nth, op, byte } => write!(f, "f{nth}.{op}.{byte}"),
        }
    }
}

/// One strike at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScheduledFault {
    /// The call, from 1: of the undisturbed run, or since the stop before.
    pub call: u32,
    /// What strikes it.
    pub strike: FaultPoint,
}

impl fmt::Display for ScheduledFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.call, self.strike)
    }
}

impl FromStr for ScheduledFault {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError(format!("`{text}` is no strike such as 12a3, 12kb3 or 12f5.1.512"));
        let number = |text: &str| text.parse::<u32>().ok();
        let counted = |text: &str| number(text).filter(|nth| *nth > 0);
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (call, strike) = text.split_at(split);
        let strike = if let Some(nth) = strike.strip_prefix("kb") {
            counted(nth).map(|nth| FaultPoint::Kill(Side::Before, nth))
        } else if let Some(nth) = strike.strip_prefix("ka") {
            counted(nth).map(|nth| FaultPoint::Kill(Side::After, nth))
        } else if let Some(nth) = strike.strip_prefix('b') {
            counted(nth).map(|nth| FaultPoint::Cut(Side::Before, nth))
        } else if let Some(nth) = strike.strip_prefix('a') {
            counted(nth).map(|nth| FaultPoint::Cut(Side::After, nth))
        } else if let Some(place) = strike.strip_prefix('f') {
            let parts: Option<Vec<u32>> = place.split('.').map(number).collect();
            match parts.as_deref() {
                Some([nth, op, byte]) if *nth > 0 => {
                    Some(FaultPoint::Within { nth: *nth, op: *op, byte: *byte })
                }
                _ => None,
            }
        } else {
            [("p", FaultPoint::Between), ("e", FaultPoint::Ended)]
                .into_iter()
                .find_map(|(word, meant)| (word == strike).then_some(meant))
        };
        let call = counted(call).ok_or_else(wrong)?;
        Ok(Self { call, strike: strike.ok_or_else(wrong)? })
    }
}

/// An id that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(pub String);

/// Scenario, parameters, schedule: `c1:SUM:PATH:NAME=VALUE,…:12f5.1.512+3b1`, where SUM is of the file's text. The
/// schedule of a case as `leaselab run` runs it reads `run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// Of the scenario file's text.
    pub sum: u32,
    /// The scenario file.
    pub path: PathBuf,
    /// `name=value,…`
    pub parameters: String,
    /// The strikes.
    pub schedule: Vec<ScheduledFault>,
}

impl Id {
    /// The id of a schedule of a case.
    pub fn new(case: &Case, schedule: &[ScheduledFault]) -> Self {
        Self {
            sum: sum(case),
            path: case.source.path.clone(),
            parameters: case.parameters_text(),
            schedule: schedule.to_vec(),
        }
    }

    /// The value of one parameter.
    pub fn parameter(&self, wanted: &str) -> Option<&str> {
        self.parameters
            .split(',')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(name, value)| (name == wanted).then_some(value))
    }

    /// Whether a case is the one that the id was made of.
    ///
    /// # Errors
    /// When the file has changed since.
    pub fn fits(&self, case: &Case) -> Result<bool, IdError> {
        if sum(case) != self.sum {
            let path = self.path.display();
            return Err(IdError(format!("{path} has changed since this id was printed")));
        }
        Ok(case.parameters_text() == self.parameters)
    }
}

fn sum(case: &Case) -> u32 {
    let wide = digest::of_bytes(case.source.text.as_bytes());
    (wide >> 96) as u32 ^ (wide >> 32) as u32
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "{VERSION}:{:08x}:{path}:{}:", self.sum, self.parameters)?;
        if self.schedule.is_empty() {
            f.write_str(NO_STRIKE)?;
        }
        for (index, stop) in self.schedule.iter().enumerate() {
            write!(f, "{}{stop}", if index > 0 { "+" } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let form = || IdError(format!("`{text}` is no id such as {VERSION}:01234567:PATH::12a3"));
        let (version, rest) = text.split_once(':').ok_or_else(form)?;
        if version != VERSION {
            return Err(IdError(format!(
                "an id of version `{version}`; this leaselab reads {VERSION}"
            )));
        }
        let (sum, rest) = rest.split_once(':').ok_or_else(form)?;
        let (rest, schedule) = rest.rsplit_once(':').ok_or_else(form)?;
        let (path, parameters) = rest.rsplit_once(':').ok_or_else(form)?;
        Ok(Self {
            sum: u32::from_str_radix(sum, 16).map_err(|_| form())?,
            path: path.into(),
            parameters: parameters.to_owned(),
            schedule: match schedule {
                NO_STRIKE => Vec::new(),
                strikes => strikes.split('+').map(str::parse).collect::<Result<_, _>>()?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("c1:00c0ffee:a/b.toml:dialect=openwrt,rtc=good:12f5.1.512+3kb1")]
    #[case("c1:00000001:b.toml::1p+2e+3a4+5b6+7ka8")]
    #[case("c1:00000001:b.toml:rtc=good:run")]
    fn ids_read_and_print_alike(#[case] text: &str) {
        assert_eq!(text.parse::<Id>().map(|id| id.to_string()), Ok(text.to_owned()));
    }

    #[rstest]
    #[case("")]
    #[case("c0:00000001:b.toml::1p")]
    #[case("c1:xyz:b.toml::1p")]
    #[case("c1:00000001:b.toml::")]
    #[case("c1:00000001:b.toml::0p")]
    #[case("c1:00000001:b.toml::1f0.1.2")]
    #[case("c1:00000001:b.toml::1p+")]
    fn other_texts_are_refused(#[case] text: &str) {
        assert!(text.parse::<Id>().is_err());
    }
}
