//! What disturbs a script call.

use std::fmt;
use std::str::FromStr;

use super::point::Point;

/// What strikes a script call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Power goes at this point.
    Cut(Point),
    /// The script's processes are killed at this point, power stays.
    Kill(Point),
    /// `nvram` commands with this first word fail without doing anything.
    Fail(String),
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(point) => write!(f, "cut {point}"),
            Self::Kill(point) => write!(f, "kill {point}"),
            Self::Fail(word) => write!(f, "fail {word}"),
        }
    }
}

impl FromStr for Disturbance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            Some(("cut", point)) => point.parse().map(Self::Cut),
            Some(("kill", point)) => point.parse().map(Self::Kill),
            Some(("fail", word)) => Ok(Self::Fail(word.to_owned())),
            _ => Err(format!("`{text}` is no disturbance")),
        }
    }
}
