//! Power cuts and kills at script calls, with the short form that reproduction ids use.

use std::fmt;
use std::str::FromStr;

use crate::disturbance::Disturbance;
use crate::id_error::IdError;
use crate::point::{Point, Side};

/// A fault at one point of a script call. Each variant is listed with its short form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultPoint {
    /// Power is cut before the call begins: `p`.
    BeforeCall,
    /// Power is cut after the call has returned: `e`.
    AfterCall,
    /// Power is cut before or after an `nvram` command, counted from 1: `b3`, `a3`.
    Cut(Side, u32),
    /// The script is killed before or after an `nvram` command, counted from 1: `kb3`, `ka3`.
    Kill(Side, u32),
    /// Power is cut in flash operation `op` (from 0) of command `nth`, after `byte` bytes: `f5.1.512`.
    Within {
        /// Number of the command, from 1.
        nth: u32,
        /// Number of its operation, from 0.
        op: u32,
        /// Bytes that the operation has written or erased before the cut.
        byte: u32,
    },
    /// Power is cut after a change of a persistent file: `w3.2`.
    FileChange {
        /// Number of changes that the call has made, from 1.
        changes: u32,
        /// The number of the possible state that the cut leaves; 0 if nothing is lost.
        state: u32,
    },
    /// The script is killed after a change of a persistent file, counted from 1: `kw3`.
    KillAtFileChange(u32),
    /// Power is cut after the call has returned, and some of its changes of persistent files are lost: `u2`.
    AfterCallUnsynced(u32),
}

impl FaultPoint {
    /// Returns whether the script is killed while power stays on.
    pub fn is_kill(self) -> bool {
        matches!(self, Self::Kill(..) | Self::KillAtFileChange(_))
    }

    /// Returns the disturbance that a back end applies to the call, or `None` if the call is not made or is not
    /// disturbed.
    pub fn disturbance(self) -> Option<Disturbance> {
        match self {
            Self::BeforeCall | Self::AfterCall | Self::AfterCallUnsynced(_) => None,
            Self::Cut(side, nth) => Some(Disturbance::Cut(Point::Command(side, nth))),
            Self::Kill(side, nth) => Some(Disturbance::Kill(Point::Command(side, nth))),
            Self::Within { nth, op, byte } => {
                Some(Disturbance::Cut(Point::Within { nth, op, byte }))
            }
            Self::FileChange { changes: nth, state } => {
                Some(Disturbance::Cut(Point::FileChange { nth, state }))
            }
            Self::KillAtFileChange(nth) => {
                Some(Disturbance::Kill(Point::FileChange { nth, state: 0 }))
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
            Self::BeforeCall => f.write_str("p"),
            Self::AfterCall => f.write_str("e"),
            Self::Cut(at, nth) => write!(f, "{}{nth}", side(at)),
            Self::Kill(at, nth) => write!(f, "k{}{nth}", side(at)),
            Self::Within { nth, op, byte } => write!(f, "f{nth}.{op}.{byte}"),
            Self::FileChange { changes, state } => write!(f, "w{changes}.{state}"),
            Self::KillAtFileChange(nth) => write!(f, "kw{nth}"),
            Self::AfterCallUnsynced(state) => write!(f, "u{state}"),
        }
    }
}

/// One fault of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScheduledFault {
    /// Number of the call, counted from 1 in the undisturbed run, or since the previous fault.
    pub call: u32,
    /// The fault in that call.
    pub point: FaultPoint,
}

impl fmt::Display for ScheduledFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.call, self.point)
    }
}

impl FromStr for ScheduledFault {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let invalid = || IdError::Fault(text.to_owned());
        let number = |text: &str| text.parse::<u32>().ok();
        let counted = |text: &str| number(text).filter(|nth| *nth > 0);
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (call, fault) = text.split_at(split);
        let point = if let Some(nth) = fault.strip_prefix("kb") {
            counted(nth).map(|nth| FaultPoint::Kill(Side::Before, nth))
        } else if let Some(nth) = fault.strip_prefix("ka") {
            counted(nth).map(|nth| FaultPoint::Kill(Side::After, nth))
        } else if let Some(nth) = fault.strip_prefix("kw") {
            counted(nth).map(FaultPoint::KillAtFileChange)
        } else if let Some(nth) = fault.strip_prefix('b') {
            counted(nth).map(|nth| FaultPoint::Cut(Side::Before, nth))
        } else if let Some(nth) = fault.strip_prefix('a') {
            counted(nth).map(|nth| FaultPoint::Cut(Side::After, nth))
        } else if let Some(place) = fault.strip_prefix('f') {
            let parts: Option<Vec<u32>> = place.split('.').map(number).collect();
            match parts.as_deref() {
                Some([nth, op, byte]) if *nth > 0 => {
                    Some(FaultPoint::Within { nth: *nth, op: *op, byte: *byte })
                }
                _ => None,
            }
        } else if let Some(place) = fault.strip_prefix('w') {
            let parts =
                place.split_once('.').map(|(changes, state)| (counted(changes), number(state)));
            match parts {
                Some((Some(changes), Some(state))) => {
                    Some(FaultPoint::FileChange { changes, state })
                }
                _ => None,
            }
        } else if let Some(state) = fault.strip_prefix('u') {
            number(state).map(FaultPoint::AfterCallUnsynced)
        } else {
            [("p", FaultPoint::BeforeCall), ("e", FaultPoint::AfterCall)]
                .into_iter()
                .find_map(|(text, point)| (text == fault).then_some(point))
        };
        let call = counted(call).ok_or_else(invalid)?;
        Ok(Self { call, point: point.ok_or_else(invalid)? })
    }
}
