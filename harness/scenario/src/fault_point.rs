//! Power cuts and kills at script calls, with the short form that reproduction ids use.

use std::fmt;
use std::str::FromStr;

use crate::disturbance::Disturbance;
use crate::id_error::IdError;
use crate::point::{Point, Side};

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
