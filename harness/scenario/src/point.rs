//! Named points inside a script call, at which power is cut or the script is killed.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// One side of an `nvram` command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Before the command starts.
    Before,
    /// After the command has ended and before its caller continues.
    After,
}

impl Side {
    /// Returns the word in the text of a point.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// A point inside one call of the lease script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// Before or after the first `nvram` command with this subcommand (`set`, `unset`, `commit`, …).
    Subcommand(Side, String),
    /// Before or after the N-th `nvram` command of the call, counted from 1.
    Command(Side, u32),
    /// Half-way through the longest erase of the first command that erases.
    Erase,
    /// Half-way through the longest program operation of the first command that programs.
    Program,
    /// In flash operation `op` (from 0) of the first command that erases or programs flash, after `byte` bytes.
    Operation {
        /// Number of the operation, from 0.
        op: u32,
        /// Bytes completed before the disturbance.
        byte: u64,
    },
    /// In flash operation `op` (from 0) of the N-th `nvram` command of the call, after `byte` bytes.
    Within {
        /// Number of the command, from 1.
        nth: u32,
        /// Number of the operation, from 0.
        op: u32,
        /// Bytes completed before the disturbance.
        byte: u32,
    },
    /// After the N-th change of a persistent file, counted from 1.
    FileChange {
        /// Number of the change, from 1.
        nth: u32,
        /// The number of the possible state that a power cut leaves; 0 if nothing is lost. If there are fewer states,
        /// it stands for the last one.
        state: u32,
    },
}

impl Point {
    /// Returns whether the point is at a change of a persistent file.
    pub fn is_file_change(&self) -> bool {
        matches!(self, Self::FileChange { .. })
    }

    /// Returns whether the point is inside a flash operation, which only a power cut can interrupt.
    pub fn is_inside_flash_operation(&self) -> bool {
        matches!(self, Self::Erase | Self::Program | Self::Operation { .. } | Self::Within { .. })
    }
}

/// The error for a text that is not a valid [`Point`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid point `{0}` in a script call: expected `before set`, `after set`, `before commit`, `after commit` (also get, \
     unset, show, info), `before nvram 2`, `erase`, `program`, `op 1 byte 512`, `file change 2`, or `file change 2 state 1`"
)]
pub struct PointError(pub String);

impl FromStr for Point {
    type Err = PointError;

    fn from_str(text: &str) -> Result<Self, PointError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |word: &str| word.parse::<u32>().ok();
        let side =
            |word: &str| [Side::Before, Side::After].into_iter().find(|side| side.name() == word);
        let point = match *words.as_slice() {
            ["erase"] => Some(Self::Erase),
            ["program"] => Some(Self::Program),
            ["op", op, "byte", byte] => {
                number(op).zip(byte.parse().ok()).map(|(op, byte)| Self::Operation { op, byte })
            }
            ["nvram", nth, "op", op, "byte", byte] => number(nth)
                .filter(|nth| *nth > 0)
                .zip(number(op).zip(number(byte)))
                .map(|(nth, (op, byte))| Self::Within { nth, op, byte }),
            ["file", "change", nth] => {
                number(nth).filter(|nth| *nth > 0).map(|nth| Self::FileChange { nth, state: 0 })
            }
            ["file", "change", nth, "state", state] => number(nth)
                .filter(|nth| *nth > 0)
                .zip(number(state))
                .map(|(nth, state)| Self::FileChange { nth, state }),
            [when, "nvram", nth] => {
                side(when).zip(number(nth).filter(|n| *n > 0)).map(|(s, n)| Self::Command(s, n))
            }
            [when, name @ ("get" | "set" | "unset" | "show" | "info" | "commit")] => {
                side(when).map(|side| Self::Subcommand(side, name.to_owned()))
            }
            _ => None,
        };
        point.ok_or_else(|| PointError(text.to_owned()))
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subcommand(side, name) => write!(f, "{} {name}", side.name()),
            Self::Command(side, nth) => write!(f, "{} nvram {nth}", side.name()),
            Self::Erase => f.write_str("erase"),
            Self::Program => f.write_str("program"),
            Self::Operation { op, byte } => write!(f, "op {op} byte {byte}"),
            Self::Within { nth, op, byte } => write!(f, "nvram {nth} op {op} byte {byte}"),
            Self::FileChange { nth, state: 0 } => write!(f, "file change {nth}"),
            Self::FileChange { nth, state } => write!(f, "file change {nth} state {state}"),
        }
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Point {
    fn schema_name() -> Cow<'static, str> {
        "Point".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A point inside a script call: `before set`, `after commit`, \
                            `before nvram 2`, `erase`, `program`, `op 1 byte 512`, `file change 2` (after the \
                            second change of a persistent file), `file change 2 state 1` (a power \
                            cut that loses some of the changes).",
            "pattern": "^(erase|program|(nvram [1-9][0-9]* )?op [0-9]+ byte [0-9]+|file change [1-9][0-9]*( state [0-9]+)?|(before|after) (nvram [1-9][0-9]*|get|set|unset|show|info|commit))$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("before set")]
    #[case("after commit")]
    #[case("before nvram 2")]
    #[case("erase")]
    #[case("program")]
    #[case("op 1 byte 512")]
    #[case("nvram 5 op 1 byte 512")]
    #[case("file change 2")]
    #[case("file change 2 state 1")]
    fn points_round_trip(#[case] text: &str) {
        assert_eq!(text.parse::<Point>().map(|point| point.to_string()), Ok(text.to_owned()));
    }

    #[rstest]
    #[case("")]
    #[case("during set")]
    #[case("before nvram 0")]
    #[case("op x byte 1")]
    #[case("file change 0")]
    #[case("file change")]
    #[case("after lunch")]
    fn invalid_points_are_rejected(#[case] text: &str) {
        assert!(text.parse::<Point>().is_err());
    }
}
