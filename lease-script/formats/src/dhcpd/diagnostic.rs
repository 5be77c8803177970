//! Problems in a lease file, and their consequences.

use std::fmt;

use super::input::Location;

/// The consequence of a problem when dhcpd reads the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing is lost: the value is read correctly.
    Nothing,
    /// A value is read differently from how it is written.
    ValueChanged,
    /// The value counts as absent. The record is kept.
    ValueAbsent,
    /// The statement is skipped. The record is kept.
    StatementLost,
    /// The whole record is dropped.
    RecordLost,
    /// The incomplete record is entered and replaces the older one.
    PartialRecordKept,
    /// The text up to the next semicolon or closing brace is skipped.
    Skipped,
    /// The rest of the file is ignored.
    RestLost,
    /// The server does not start.
    Refused,
    /// The record is read, but no pool of the configuration contains its address.
    Unconfigured,
    /// The record is kept in [`super::View::Salvage`], but dhcpd would lose it.
    Rescued,
    /// The file ends in the record, or the next record starts in it. The record is left out.
    Torn,
    /// The record is complete but cannot be read. It is left out.
    Damaged,
    /// A statement of a record that is kept, or text that is not a declaration, is left out.
    LeftOut,
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "dhcpd reads it; nothing is lost",
            Self::ValueChanged => "dhcpd reads another value than the one written",
            Self::ValueAbsent => "dhcpd keeps the record without this value",
            Self::StatementLost => "dhcpd keeps the record without this statement",
            Self::RecordLost => "dhcpd drops the whole record",
            Self::PartialRecordKept => "dhcpd enters the incomplete record, which replaces the older one",
            Self::Skipped => {
                "dhcpd skips to the next semicolon or over the next block; records in between are lost"
            }
            Self::RestLost => "dhcpd treats this as the end of the file and ignores the rest",
            Self::Refused => "dhcpd does not start",
            Self::Unconfigured => "dhcpd drops the record: no pool contains its address",
            Self::Rescued => "kept here; dhcpd would lose it",
            Self::Torn | Self::Damaged | Self::LeftOut => "left out here",
        })
    }
}

/// One problem in a lease file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The location of the problem.
    pub location: Location,
    /// The message that dhcpd logs, or a description if it logs none.
    pub message: String,
    /// What dhcpd loses.
    pub consequence: Consequence,
    /// The affected record, if known (`lease 10.0.0.1`).
    pub subject: Option<String>,
    /// Whether dhcpd writes the message to its log.
    pub logged: bool,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.location.line, self.location.column)?;
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        write!(f, "{} ({})", self.message, self.consequence)
    }
}

/// Maximum number of diagnostics that are kept. Further ones are only counted.
const MAX_KEPT: usize = 10_000;

/// The diagnostics of one file.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    total: u64,
    logged: u64,
}

impl Diagnostics {
    /// Returns the first 10,000 diagnostics, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Returns the number of diagnostics, including those that were not kept.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the number of lines that dhcpd would write to its log.
    pub fn logged(&self) -> u64 {
        self.logged
    }

    /// Returns whether there are no diagnostics.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.total += 1;
        self.logged += u64::from(diagnostic.logged);
        if self.list.len() < MAX_KEPT {
            self.list.push(diagnostic);
        }
    }

    /// Returns the current position, for [`Self::roll_back`].
    pub(crate) fn mark(&self) -> (usize, u64, u64) {
        (self.list.len(), self.total, self.logged)
    }

    pub(crate) fn roll_back(&mut self, (kept, total, logged): (usize, u64, u64)) {
        self.list.truncate(kept);
        self.total = total;
        self.logged = logged;
    }

    pub(crate) fn since(&self, (kept, _, _): (usize, u64, u64)) -> &[Diagnostic] {
        &self.list[kept..]
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
