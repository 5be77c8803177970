//! `leaselab trace from-journal`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Exit, Failure};
use crate::report;
use trace::{SiteHistory, WriteCost, from_journal, generations, stimuli};

/// The arguments of `leaselab trace from-journal`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// dhcpd.leases files, folders of generations, or .xz and .tar.xz archives of them, the oldest first
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write the events here, one JSON object a line, in the words of recordings (stimuli.jsonl)
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Write what was counted
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    report::check_writable(args.output.iter().chain(&args.json))?;
    let site = read(&args.paths)?;
    if let Some(path) = &args.output {
        report::write_whole(path, stimuli(&site.events).as_bytes())?;
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &site.events {
        *counts.entry(event.kind.name()).or_default() += 1;
    }
    if let Some(path) = &args.json {
        let whole =
            serde_json::json!({"events": counts, "seconds": seconds(&site), "cost": site.cost});
        report::write_whole(path, format!("{whole:#}\n").as_bytes())?;
    }
    for (name, count) in counts {
        anstream::println!("{name:<12} {count:>8}");
    }
    anstream::println!("{}", told(&site.cost, seconds(&site)));
    Ok(Exit::Held)
}

/// Reads journals; what is wrong with them is told on stderr.
pub(in crate::cli) fn read(paths: &[PathBuf]) -> Result<SiteHistory, Failure> {
    let found = generations(paths).map_err(|error| Failure::Input(error.to_string()))?;
    let site = from_journal(&found);
    for problem in &site.problems {
        anstream::eprintln!("{problem}");
    }
    if site.events.is_empty() {
        let path = paths.first().map_or(Path::new(""), PathBuf::as_path).display();
        return Err(Failure::Input(format!("{path}: no lease in it, so nothing happened")));
    }
    Ok(site)
}

/// How long the events last.
pub(in crate::cli) fn seconds(site: &SiteHistory) -> u64 {
    let (first, last) = (site.events.first(), site.events.last());
    first.zip(last).map_or(0, |(first, last)| u64::try_from(last.time - first.time).unwrap_or(0))
}

/// What the journal itself cost, for people.
pub(in crate::cli) fn told(cost: &WriteCost, seconds: u64) -> String {
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
