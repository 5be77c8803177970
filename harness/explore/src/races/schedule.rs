//! Which process takes each step, and the id of such a row.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::Lock;

/// The form of ids that this version reads and writes.
const VERSION: &str = "r1";

/// Longer than any row of steps of any race.
const LONGEST: usize = 10_000;

/// One of the two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The first.
    A,
    /// The second.
    B,
}

impl Who {
    pub(super) fn of(index: usize) -> Self {
        if index == 0 { Self::A } else { Self::B }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self == Self::B)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(if *self == Self::A { 'A' } else { 'B' })
    }
}

/// One interleaving of a race: `r1:NAME:A5B12A3`; with the lock, `r1:NAME+lock:A2B1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The race.
    pub race: String,
    /// Whether commands exclude each other.
    pub lock: Lock,
    /// Who takes each step.
    pub steps: Vec<Who>,
}

/// An id that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Another version's, or no id of a race at all.
    #[error("`{0}`: no id of a race of this version: one looks like r1:set+set:A5B12A3")]
    Form(String),
    /// There is no such race.
    #[error("no race `{0}`: leaselab races lists them")]
    Race(String),
    /// The process has no such step.
    #[error(
        "step {0} of the id: the process is over by then; the id is another version's or cut short"
    )]
    Step(usize),
    /// Steps are missing.
    #[error("the id ends before both processes do: was it cut short?")]
    Short,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lock = if self.lock == Lock::Held { "+lock" } else { "" };
        write!(f, "{VERSION}:{}{lock}:", self.race)?;
        for run in self.steps.chunk_by(PartialEq::eq) {
            write!(f, "{}{}", run[0], run.len())?;
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = || ScheduleError::Form(text.to_owned());
        let mut parts = text.split(':');
        let (Some(VERSION), Some(race), Some(runs), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let (race, lock) =
            race.strip_suffix("+lock").map_or((race, Lock::None), |race| (race, Lock::Held));
        let mut steps = Vec::new();
        let mut rest = runs;
        while let Some(letter) = rest.chars().next() {
            let who = match letter {
                'A' => Who::A,
                'B' => Who::B,
                _ => return Err(wrong()),
            };
            let digits =
                rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
            let count: usize = rest[1..digits].parse().map_err(|_| wrong())?;
            if count == 0 || count > LONGEST - steps.len() {
                return Err(wrong());
            }
            steps.extend(std::iter::repeat_n(who, count));
            rest = &rest[digits..];
        }
        Ok(Self { race: race.to_owned(), lock, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_printed() {
        for text in ["r1:set+set:A5B12A3", "r1:web+ours+lock:B1", "r1:x:"] {
            assert_eq!(text.parse::<Schedule>().expect("an id").to_string(), text);
        }
        for text in [
            "",
            "r2:x:A1",
            "r1:x",
            "r1:x:A",
            "r1:x:A0",
            "r1:x:C3",
            "r1:x:A1é",
            "r1:x:A99999",
            "r1:x:A1:",
        ] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }
}
