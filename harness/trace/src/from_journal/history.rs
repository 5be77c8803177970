//! Reads the generations of a journal into the history of a site.

use std::collections::HashMap;

use super::generations::Generation;
use super::site_events::{SiteEvent, SiteTracker};
use super::split;
use lease_formats::dhcpd::{History, Options, View, read_bytes};

/// The amount that the server wrote to disk for its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct WriteCost {
    /// Number of generations.
    pub generations: u64,
    /// Number of appended records, one for each commit.
    pub records: u64,
    /// Number of bytes of the appended records.
    pub appended: u64,
    /// Number of rewrites of the whole file, including those at starts of the server.
    pub rewrites: u64,
    /// Number of bytes of the rewrites.
    pub rewritten: u64,
}

/// The history of a site.
#[derive(Debug, Clone, Default)]
pub struct SiteHistory {
    /// The events in chronological order.
    pub events: Vec<SiteEvent>,
    /// The amount that the server wrote to disk.
    pub cost: WriteCost,
    /// Problems found while reading.
    pub problems: Vec<String>,
}

/// Maximum number of problems that are kept.
const MAX_PROBLEMS: usize = 100;

/// Reads the generations of a journal, which are given oldest first.
pub fn from_journal(generations: &[Generation]) -> SiteHistory {
    let mut site = SiteHistory::default();
    let mut last = HashMap::new();
    let mut tracker = SiteTracker::default();
    for (number, generation) in generations.iter().enumerate() {
        let mut options = Options::new(View::Salvage, 1);
        options.history = Some(History::All);
        let reading = read_bytes(&generation.bytes, &options);
        for diagnostic in &reading.diagnostics {
            if site.problems.len() < MAX_PROBLEMS {
                site.problems.push(format!("{}:{diagnostic}", generation.name));
            }
        }
        let first = number == 0;
        let head = split::head_length(&reading.history, &last, first);
        let length = generation.bytes.len() as u64;
        let appended = &reading.history[head..];
        let start = appended.first().map_or(length, |record| record.location.offset);
        site.cost.generations += 1;
        site.cost.appended += length - start;
        site.cost.records += appended.len() as u64;
        if generation.is_rewritten() {
            site.cost.rewrites += 1;
            site.cost.rewritten += start;
        }
        if first {
            tracker.held_before(&reading.history[..head]);
        }
        for record in appended {
            tracker.apply(&record.what);
        }
        last = split::latest(&reading.history);
    }
    site.events = tracker.finish();
    site
}
