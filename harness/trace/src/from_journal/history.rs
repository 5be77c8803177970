//! Converts the generations of a journal into the history of a site.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::generations::Generation;
use super::site_events::{SiteEvent, SiteTracker};
use super::split;
use lease_formats::dhcpd::{Declaration, Declared, History, Options, View, read_bytes};
use lease_formats::exchange::kea::{Memfile, Release};
use lease_formats::exchange::{Detected, Format, detect_format};

/// The amount of data that the server wrote to disk for its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct WriteCost {
    /// Number of generations.
    pub generations: u64,
    /// Number of appended records, one for each commit.
    pub records: u64,
    /// Number of bytes of the appended records.
    pub appended: u64,
    /// Number of rewrites of the whole file, including those when the server starts.
    pub rewrites: u64,
    /// Number of bytes of the rewrites.
    pub rewritten: u64,
}

/// The history of a site.
#[derive(Debug, Clone, Default)]
pub struct SiteHistory {
    /// The events in chronological order.
    pub events: Vec<SiteEvent>,
    /// The amount of data that the server wrote to disk.
    pub cost: WriteCost,
    /// The number of distinct addresses in the journal.
    pub addresses: u64,
    /// Problems found while reading.
    pub problems: Vec<String>,
}

/// Maximum number of problems that are kept.
const MAX_PROBLEMS: usize = 100;

/// Derives the history of a site from the generations of its journal, given oldest first.
pub fn from_journal(generations: &[Generation]) -> SiteHistory {
    let mut site = SiteHistory::default();
    let mut last = HashMap::new();
    let mut tracker = SiteTracker::default();
    let mut addresses = HashSet::new();
    for (number, generation) in generations.iter().enumerate() {
        let is_memfile = detect_format(&generation.bytes) == Detected::Known(Format::KeaCsv);
        let history = if is_memfile {
            memfile(generation, &mut site)
        } else {
            journal(generation, &mut site)
        };
        for declaration in &history {
            match &declaration.what {
                Declared::Lease(lease) => _ = addresses.insert(IpAddr::V4(lease.address)),
                Declared::Ia(ia) => {
                    addresses.extend(ia.addresses.iter().map(|held| IpAddr::V6(held.address)));
                }
                Declared::ServerDuid => {}
            }
        }
        let first = number == 0;
        let head = match is_memfile {
            // A cleanup leaves only the last row of each address. In other files, every row is an event.
            true if generation.is_cleaned_up() => history.len(),
            true => 0,
            false => split::head_length(&history, &last, first),
        };
        let length = generation.bytes.len() as u64;
        let appended = &history[head..];
        let start = appended.first().map_or(length, |record| record.location.offset);
        site.cost.generations += 1;
        site.cost.appended += length - start;
        site.cost.records += appended.len() as u64;
        if generation.is_rewritten() || generation.is_cleaned_up() {
            site.cost.rewrites += 1;
            site.cost.rewritten += start;
        }
        if first {
            tracker.held_before(&history[..head]);
        }
        for record in appended {
            tracker.apply(&record.what);
        }
        last = split::latest(&history);
    }
    site.events = tracker.finish();
    site.addresses = addresses.len() as u64;
    leave_out_far_events(&mut site);
    site
}

fn journal(generation: &Generation, site: &mut SiteHistory) -> Vec<Declaration> {
    let mut options = Options::new(View::Salvage, 1);
    options.history = Some(History::All);
    let reading = read_bytes(&generation.bytes, &options);
    for diagnostic in &reading.diagnostics {
        site.add_problem(format!("{}:{diagnostic}", generation.name));
    }
    reading.history
}

fn memfile(generation: &Generation, site: &mut SiteHistory) -> Vec<Declaration> {
    let mut memfile = Memfile::new(Release::default(), Some(History::All));
    match memfile.load(&generation.bytes[..]) {
        Ok(report) => {
            for problem in &report.read.problems {
                site.add_problem(format!("{}:{problem}", generation.name));
            }
            report.history.into_iter().map(|record| record.declaration).collect()
        }
        Err(error) => {
            site.add_problem(format!("{}: {error}", generation.name));
            Vec::new()
        }
    }
}

/// Removes events whose times come from a wrong clock. Consecutive events belong to the same group if they are at most
/// five years apart. Only the largest group is kept.
fn leave_out_far_events(site: &mut SiteHistory) {
    const FIVE_YEARS: i64 = 5 * 365 * 86_400;
    let mut groups: Vec<usize> = Vec::new();
    let mut before: Option<i64> = None;
    for event in &site.events {
        match groups.last_mut() {
            Some(count) if before.is_some_and(|before| event.time - before <= FIVE_YEARS) => {
                *count += 1;
            }
            _ => groups.push(1),
        }
        before = Some(event.time);
    }
    let Some((largest, &count)) = groups.iter().enumerate().max_by_key(|(_, count)| **count) else {
        return;
    };
    let from: usize = groups[..largest].iter().sum();
    let far = site.events.len() - count;
    if far > 0 {
        site.events.drain(from + count..);
        site.events.drain(..from);
        site.problems.push(format!(
            "{far} events are more than five years from the others, as a wrong clock makes them: left out"
        ));
    }
}

impl SiteHistory {
    fn add_problem(&mut self, problem: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}
