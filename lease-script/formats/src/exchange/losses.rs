//! What a form could not hold.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use crate::dhcpd::Unwritable;

/// Counts by reason, each with the first address that it happened to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    reasons: BTreeMap<String, (u64, String)>,
    unwritten: u64,
}

impl Losses {
    /// Counts one.
    pub fn add(&mut self, reason: impl Into<String>, subject: impl Display) {
        let entry = self.reasons.entry(reason.into()).or_insert_with(|| (0, subject.to_string()));
        entry.0 += 1;
    }

    /// Counts a whole lease.
    pub(super) fn add_unwritten(&mut self, unwritable: &Unwritable) {
        self.unwritten += 1;
        self.add(format!("not written: {}", unwritable.reason), &unwritable.subject);
    }

    /// How many leases of dhcpd could not be written in its own form.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// True when nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl Display for Losses {
    /// A line for each reason.
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
