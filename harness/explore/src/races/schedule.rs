//! The schedule of a race: which process takes each step.

use std::fmt;
use std::str::FromStr;

use super::{Locking, Process};

/// The version of the text form that this leaselab reads and writes.
const VERSION: &str = "r1";

/// Maximum number of steps; more than any race has.
const MAX_STEPS: usize = 10_000;

/// One interleaving of a race. The text form is `r1:NAME:A5B12A3`: five steps of A, twelve of B, three of A. With the
/// lock it is `r1:NAME+lock:A2B1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The name of the race.
    pub race: String,
    /// Whether `nvram` commands exclude each other.
    pub lock: Locking,
    /// The process that takes each step.
    pub steps: Vec<Process>,
}

/// A schedule that cannot be parsed or replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The text is not a schedule, or one of another version.
    #[error("invalid race id \"{0}\": expected one like r1:set+set:A5B12A3")]
    Form(String),
    /// No race has this name.
    #[error("unknown race \"{0}\": run `leaselab races` for a list")]
    Race(String),
    /// The process has exited before this step, counted from 1.
    #[error("step {0} of the id: the process has exited before; is the id from another version?")]
    Step(usize),
    /// A process has not exited after the last step.
    #[error("the id ends before both processes have exited: is it truncated?")]
    Short,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lock = if self.lock == Locking::PerCommand { "+lock" } else { "" };
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
        let invalid = || ScheduleError::Form(text.to_owned());
        let mut parts = text.split(':');
        let (Some(VERSION), Some(race), Some(runs), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid());
        };
        let (race, lock) = race
            .strip_suffix("+lock")
            .map_or((race, Locking::None), |race| (race, Locking::PerCommand));
        let mut steps = Vec::new();
        let mut rest = runs;
        while let Some(letter) = rest.chars().next() {
            let process = match letter {
                'A' => Process::A,
                'B' => Process::B,
                _ => return Err(invalid()),
            };
            let digits =
                rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
            let count: usize = rest[1..digits].parse().map_err(|_| invalid())?;
            if count == 0 || count > MAX_STEPS - steps.len() {
                return Err(invalid());
            }
            steps.extend(std::iter::repeat_n(process, count));
            rest = &rest[digits..];
        }
        Ok(Self { race: race.to_owned(), lock, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_a_displayed_schedule_returns_the_schedule() {
        for text in ["r1:set+set:A5B12A3", "r1:web+ours+lock:B1", "r1:x:"] {
            assert_eq!(text.parse::<Schedule>().expect("a schedule").to_string(), text);
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
