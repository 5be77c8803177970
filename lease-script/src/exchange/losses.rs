//! What a form could not hold.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// Counts by reason, each with the first address that it happened to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses(BTreeMap<String, (u64, String)>);

impl Losses {
    /// Counts one.
    pub fn add(&mut self, reason: impl Into<String>, subject: impl Display) {
        let entry = self.0.entry(reason.into()).or_insert_with(|| (0, subject.to_string()));
        entry.0 += 1;
    }

    /// True when nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Losses {
    /// A line for each reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (reason, (count, first)) in &self.0 {
            match count {
                1 => writeln!(f, "{first}: {reason}")?,
                _ => writeln!(f, "{first} and {} more: {reason}", count - 1)?,
            }
        }
        Ok(())
    }
}
