//! Data that a format cannot store.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use crate::dhcpd::Unwritable;

/// Maximum number of leases that are named for each reason.
const MAX_NAMED: usize = 3;

/// The number of losses for each field or reason, with the first affected leases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    reasons: BTreeMap<String, Loss>,
    unwritten: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Loss {
    count: u64,
    first: Vec<String>,
}

impl Losses {
    /// Counts one loss.
    pub fn add(&mut self, reason: impl Into<String>, subject: impl Display) {
        let loss = self.reasons.entry(reason.into()).or_default();
        loss.count += 1;
        if loss.first.len() < MAX_NAMED {
            loss.first.push(subject.to_string());
        }
    }

    /// Counts a field that a format cannot store.
    pub(super) fn add_field(&mut self, field: &str, format: &str, subject: impl Display) {
        self.add(format!("{field}: {format} has no such field"), subject);
    }

    /// Counts a lease that was not written.
    pub(super) fn add_unwritten(&mut self, unwritable: &Unwritable) {
        self.unwritten += 1;
        self.add(format!("not written: {}", unwritable.reason), &unwritable.subject);
    }

    /// Returns the number of leases that could not be written to a dhcpd.leases.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Returns the number of all losses.
    pub fn total(&self) -> u64 {
        self.reasons.values().map(|loss| loss.count).sum()
    }

    /// Returns whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl Display for Losses {
    /// Writes one line for each reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (reason, loss) in &self.reasons {
            write!(f, "{}", loss.first.join(", "))?;
            if loss.count > loss.first.len() as u64 {
                write!(f, " and {} more", loss.count - loss.first.len() as u64)?;
            }
            writeln!(f, ": {reason}")?;
        }
        Ok(())
    }
}
