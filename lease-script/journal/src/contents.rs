//! The contents of a journal: its text, the leases in it, and its damage.

use lease_formats::dhcpd::{Consequence, Family, Reading, salvage_bytes};

use crate::checksum::{Number, verify};
use crate::text::{Rewrite, begins_record, find_rewrite, intact_length};

/// A journal that was read.
pub(crate) struct Contents {
    pub(crate) text: Vec<u8>,
    /// Everything that is believed.
    pub(crate) reading: Reading,
    /// The rewrite with which the journal begins.
    pub(crate) rewrite: Option<Rewrite>,
    /// The number of the last record.
    pub(crate) last: Number,
    /// The greatest number of a rewrite.
    pub(crate) rewrites: u64,
    /// The number of bytes before a torn record at the end, or of all bytes.
    pub(crate) intact: usize,
    /// The first problem other than a torn record at the end.
    pub(crate) problem: Option<String>,
    /// Whether there is text but nothing of a journal.
    pub(crate) is_garbage: bool,
}

impl Contents {
    /// Reads a text. A torn or damaged record never replaces an earlier complete one.
    pub(crate) fn parse(text: Vec<u8>, family: Option<Family>) -> Self {
        let rewrite = find_rewrite(&text);
        let verified = verify(&text, rewrite.map(|rewrite| rewrite.generation));
        let believed = verified.believed.as_deref().unwrap_or(&text);
        let mut reading = salvage_bytes(believed, family);
        let (mut problem, mut intact) = (verified.problem, text.len());
        if let Some(fault) = fault(&reading) {
            let cut = intact_length(believed);
            // A tail may be cut off only if nothing of it is believed.
            let kept = (cut < text.len() && problem.is_none())
                .then(|| salvage_bytes(&text[..cut], family));
            match kept.filter(|kept| self::fault(kept).is_none() && is_same(kept, &reading)) {
                Some(kept) => (reading, intact) = (kept, cut),
                None => problem = problem.or(Some(fault)),
            }
        }
        let is_torn = intact < text.len() && begins_record(&text[intact..]);
        let is_garbage =
            !has_declarations(&reading) && (problem.is_some() || intact < text.len() && !is_torn);
        let (last, rewrites) = (verified.last, verified.rewrites);
        Self { text, reading, rewrite, last, rewrites, intact, problem, is_garbage }
    }

    /// The length of the torn record at the end.
    pub(crate) fn torn(&self) -> usize {
        self.text.len() - self.intact
    }

    /// Whether every lease of `other` is here, too, except those that `later` declares.
    pub(crate) fn has_leases_of(&self, other: &Reading, later: &Reading) -> bool {
        let v4 = other.table.iter().all(|lease| {
            later.table.has(lease.address) || self.reading.table.get(lease.address) == Some(lease)
        });
        let is_declared = |reading: &Reading, ia| reading.ia_table.iter().any(|one| one == ia);
        let v6 = other.ias().all(|ia| {
            let is_later = later.ias().any(|one| (one.kind, &one.id) == (ia.kind, &ia.id));
            is_later || is_declared(&self.reading, ia)
        });
        v4 && v6
    }
}

/// The first diagnostic that says that something is lost.
pub(crate) fn fault(reading: &Reading) -> Option<String> {
    let mut faults =
        reading.diagnostics.iter().filter(|one| one.consequence != Consequence::Nothing);
    faults.next().map(ToString::to_string)
}

pub(crate) fn has_declarations(reading: &Reading) -> bool {
    reading.counts.declarations > 0
        || reading.counts.non_leases > 0
        || reading.byte_order.is_some()
        || reading.server_duid.is_some()
}

fn is_same(one: &Reading, other: &Reading) -> bool {
    one.table.iter_sorted().eq(other.table.iter_sorted())
        && one.ias().eq(other.ias())
        && one.server_duid == other.server_duid
        && one.non_leases == other.non_leases
}
