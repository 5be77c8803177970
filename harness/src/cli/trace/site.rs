//! Journals of ISC dhcpd as the history of a site.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::error::CommandError;
use scenario::quantity;
use trace::{SiteHistory, WriteCost, from_journal, generations};

/// Reads journals with at least one event, and prints the problems in them on stderr.
///
/// # Errors
/// A journal that cannot be read, or journals without an event.
pub(in crate::cli) fn read_events(paths: &[PathBuf]) -> Result<SiteHistory, CommandError> {
    let site = read_site(paths)?;
    if site.events.is_empty() {
        let path = paths.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(CommandError::file(path, no_event(&site)));
    }
    Ok(site)
}

/// Why there is no event.
pub(super) fn no_event(site: &SiteHistory) -> String {
    let leases = quantity(site.addresses, "lease");
    format!("contains {leases}, but no event: no record changes the state of an address")
}

/// Reads journals, and prints the problems in them on stderr.
///
/// # Errors
/// A journal that cannot be read, or journals without a lease.
pub(super) fn read_site(paths: &[PathBuf]) -> Result<SiteHistory, CommandError> {
    let found = generations(paths).map_err(CommandError::usage)?;
    let site = from_journal(&found);
    for problem in &site.problems {
        errln!("{problem}");
    }
    if site.addresses == 0 {
        let path = paths.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(CommandError::file(path, "contains no lease, so there are no events"));
    }
    Ok(site)
}

/// The time from the first event to the last.
pub(in crate::cli) fn seconds(site: &SiteHistory) -> u64 {
    let (first, last) = (site.events.first(), site.events.last());
    first.zip(last).map_or(0, |(first, last)| u64::try_from(last.time - first.time).unwrap_or(0))
}

/// One line about the cost of writing the journal.
pub(in crate::cli) fn cost_line(cost: &WriteCost, seconds: u64) -> String {
    const YEAR: u64 = 365 * 86_400;
    let WriteCost { generations, records, appended, rewrites, rewritten } = cost;
    let mut line = format!(
        "journal: {records} records of {appended} bytes appended, {rewrites} rewrites of {rewritten} \
         bytes, in {generations} generations and {seconds} s"
    );
    if seconds >= 3600 {
        let yearly = (appended + rewritten).saturating_mul(YEAR) / seconds;
        _ = write!(line, "; {} MB a year at this rate", yearly / 1_000_000);
    }
    line
}
