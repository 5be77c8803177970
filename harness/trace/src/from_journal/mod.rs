//! A journal of ISC dhcpd as DHCP-level events: what happened at a real site, with its own times.
//!
//! ```text
//! file(s), folder of generations -> declarations -> head | appended -> events -> engine's messages
//!                                                     rewrites, bytes
//! ```
//!
//! A generation of the file begins with what the server wrote when it last rewrote the file (the *head*: its
//! whole database), and goes on with one record for each commit. Only the latter are events. Where the
//! generation before is known, the head is what that one meant; of a lone file it is the longest beginning that
//! is in the order in which `write_leases4` of dhcpd's server/mdb.c writes.
//!
//! | journal | event |
//! |---|---|
//! | active, where nobody had the address, or another client | grant |
//! | active again, the same client | renewal |
//! | free with an end earlier than it was | release |
//! | free at its end, or expired | expiry |
//! | abandoned, while a client had it | decline |
//! | abandoned, while nobody had it | abandoned (it answered a ping) |
//! | free or active after abandoned | reclaim, and a grant |

mod events;
mod generations;
mod replay;
mod split;
mod stimuli;

pub use events::{SiteEvent, SiteKind, Who};
pub use generations::{Generation, generations};
pub use replay::{message, server_of, workload};
pub use stimuli::stimuli;

use std::collections::HashMap;

use lease_formats::dhcpd::{History, Options, View, read_bytes};

/// What the journal itself cost the disk of its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Cost {
    /// Files read.
    pub generations: u64,
    /// Records appended, one commit each.
    pub records: u64,
    /// Bytes of these.
    pub appended: u64,
    /// Rewrites of the whole file, those at the server's start included.
    pub rewrites: u64,
    /// Bytes of these.
    pub rewritten: u64,
}

/// A site's history.
#[derive(Debug, Clone, Default)]
pub struct SiteHistory {
    /// What happened, in the order of its time.
    pub events: Vec<SiteEvent>,
    /// What writing it down cost.
    pub cost: Cost,
    /// Problems found while reading.
    pub problems: Vec<String>,
}

/// Problems kept at most.
const KEPT: usize = 100;

/// Reads generations, the oldest first.
pub fn from_journal(generations: &[Generation]) -> SiteHistory {
    let mut site = SiteHistory::default();
    let mut last = HashMap::new();
    let mut tale = events::Tale::default();
    for (number, generation) in generations.iter().enumerate() {
        let mut options = Options::new(View::Salvage, 1);
        options.history = Some(History::All);
        let reading = read_bytes(&generation.bytes, &options);
        for diagnostic in &reading.diagnostics {
            if site.problems.len() < KEPT {
                site.problems.push(format!("{}:{diagnostic}", generation.name));
            }
        }
        let first = number == 0;
        let head = split::head(&reading.history, &last, first);
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
            tale.held_before(&reading.history[..head]);
        }
        for record in appended {
            tale.tell(&record.what);
        }
        last = split::meaning(&reading.history);
    }
    site.events = tale.finish();
    site
}
