//! Disturbances of a script call.

use std::fmt;
use std::str::FromStr;

use super::point::Point;

/// A disturbance of a script call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Power is lost at this point.
    Cut(Point),
    /// The processes of the script are killed at this point; power stays on.
    Kill(Point),
    /// `nvram` commands with this subcommand fail without any effect.
    Fail(String),
}

impl Disturbance {
    /// Whether it is a power cut or a kill at a change of a persistent file.
    pub fn is_at_file_change(&self) -> bool {
        match self {
            Self::Cut(point) | Self::Kill(point) => point.is_file_change(),
            Self::Fail(_) => false,
        }
    }
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
            _ => Err(format!(
                "invalid disturbance `{text}`: expected `cut POINT`, `kill POINT` or `fail COMMAND`"
            )),
        }
    }
}
