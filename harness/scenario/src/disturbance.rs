//! Disturbances of a script call.

use std::fmt;
use std::str::FromStr;

use super::point::{Point, PointError};

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
    /// Returns whether this is a power cut or a kill at a change of a persistent file.
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
            Self::Fail(command) => write!(f, "fail {command}"),
        }
    }
}

/// The error for a text that is not a valid [`Disturbance`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisturbanceError {
    /// The text is neither a power cut nor a kill nor a failing command.
    #[error("invalid disturbance `{0}`: expected `cut POINT`, `kill POINT` or `fail COMMAND`")]
    Kind(String),
    /// The point of the power cut or kill is invalid.
    #[error(transparent)]
    Point(#[from] PointError),
}

impl FromStr for Disturbance {
    type Err = DisturbanceError;

    fn from_str(text: &str) -> Result<Self, DisturbanceError> {
        match text.split_once(' ') {
            Some(("cut", point)) => Ok(Self::Cut(point.parse()?)),
            Some(("kill", point)) => Ok(Self::Kill(point.parse()?)),
            Some(("fail", command)) => Ok(Self::Fail(command.to_owned())),
            _ => Err(DisturbanceError::Kind(text.to_owned())),
        }
    }
}
