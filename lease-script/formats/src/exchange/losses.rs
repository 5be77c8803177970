//! Data that a format cannot store.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use crate::dhcpd::Unwritable;

/// The number of losses for each reason, with the first lease concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    reasons: BTreeMap<String, (u64, String)>,
    unwritten: u64,
}

impl Losses {
    /// Counts one loss.
    pub fn add(&mut self, reason: impl Into<String>, subject: impl Display) {
        let entry = self.reasons.entry(reason.into()).or_insert_with(|| (0, subject.to_string()));
        entry.0 += 1;
    }

    /// Counts a lease that was not written.
    pub(super) fn add_unwritten(&mut self, unwritable: &Unwritable) {
        self.unwritten += 1;
        self.add(format!("not written: {}", unwritable.reason), &unwritable.subject);
    }

    /// The number of leases that could not be written as a dhcpd.leases.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl Display for Losses {
    /// One line for each reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (reason, (count, first)) in &self.reasons {
            match count {
                1 => writeln!(f, "{first}: {reason}")?,
                _ => writeln!(f, "{first} and {} more: {reason}", count - 1)?,
            }
        }
        Ok(())
    }
}
