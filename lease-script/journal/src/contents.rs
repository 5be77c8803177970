//! The contents of a journal: its text, the leases in it, and its damage.

use crate::checksum::{Number, verify};
use crate::declaration::{Declaration, Subject};
use crate::reading::Reading;
use crate::syntax::begins_record;
use crate::text::{Rewrite, find_rewrite, intact_length};

/// A parsed journal.
pub(crate) struct Contents {
    pub(crate) text: Vec<u8>,
    /// The accepted declarations.
    pub(crate) reading: Reading,
    /// The rewrite with which the journal begins.
    pub(crate) rewrite: Option<Rewrite>,
    /// The number of the last record.
    pub(crate) last: Number,
    /// The highest number of a rewrite.
    pub(crate) rewrites: u64,
    /// The number of bytes before a torn record at the end, or of all bytes if there is none.
    pub(crate) intact: usize,
    /// The first problem other than a torn record at the end.
    pub(crate) problem: Option<String>,
    /// Whether the text is not empty, but contains no part of a journal.
    pub(crate) is_garbage: bool,
}

impl Contents {
    /// Parses a text. A torn or damaged record never replaces an earlier complete one.
    pub(crate) fn parse(text: Vec<u8>) -> Self {
        let rewrite = find_rewrite(&text);
        let verified = verify(&text, rewrite.map(|rewrite| rewrite.generation));
        let accepted = verified.accepted.as_deref().unwrap_or(&text);
        let mut reading = Reading::parse(accepted);
        let (mut problem, mut intact) = (verified.problem, text.len());
        if let Some(fault) = reading.fault.take() {
            let cut = intact_length(accepted);
            // The tail may be cut off only if nothing in it is accepted.
            let kept =
                (cut < text.len() && problem.is_none()).then(|| Reading::parse(&text[..cut]));
            let is_same =
                |kept: &Reading| kept.fault.is_none() && kept.declarations == reading.declarations;
            if kept.as_ref().is_some_and(is_same) {
                intact = cut;
            } else {
                problem = problem.or(Some(fault));
            }
        }
        let is_torn = intact < text.len() && begins_record(&text[intact..]);
        let is_garbage =
            !reading.has_declarations() && (problem.is_some() || intact < text.len() && !is_torn);
        let (last, rewrites) = (verified.last, verified.rewrites);
        Self { text, reading, rewrite, last, rewrites, intact, problem, is_garbage }
    }

    /// Returns the length of the torn record at the end.
    pub(crate) fn torn(&self) -> usize {
        self.text.len() - self.intact
    }

    /// Returns whether this contains every lease of `other`, except those that `later` declares.
    pub(crate) fn has_leases_of(&self, other: &Reading, later: &Reading) -> bool {
        let mut here: Vec<&Declaration> = self.reading.declarations.iter().collect();
        here.sort_by(|one, other| one.subject.cmp(&other.subject));
        other.declarations.iter().all(|lease| {
            matches!(lease.subject, Subject::ServerDuid | Subject::Other(_))
                || later.declarations.iter().any(|one| one.subject == lease.subject)
                || here
                    .binary_search_by(|one| one.subject.cmp(&lease.subject))
                    .is_ok_and(|at| here[at].body == lease.body)
        })
    }
}
