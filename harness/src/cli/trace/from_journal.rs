//! `leaselab trace from-journal`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::site::{cost_line, no_event, read_site, seconds};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::report;
use trace::stimuli;

/// The arguments of `leaselab trace from-journal`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// dhcpd.leases files, memfiles of Kea, folders of generations, or .xz and .tar.xz archives of them, oldest first
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write the events to this file, one JSON object a line, in the format of stimuli.jsonl
    #[arg(long, short, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Write the counts as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    report::check_writable(args.output.iter().chain(&args.json))?;
    let site = read_site(&args.paths)?;
    if let Some(path) = &args.output {
        report::write_atomically(path, stimuli(&site.events).as_bytes())?;
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &site.events {
        *counts.entry(event.kind.name()).or_default() += 1;
    }
    if let Some(path) = &args.json {
        let whole =
            serde_json::json!({"events": counts, "seconds": seconds(&site), "cost": site.cost});
        report::write_atomically(path, format!("{whole:#}\n").as_bytes())?;
    }
    if counts.is_empty() {
        outln!("{}", no_event(&site));
    }
    for (name, count) in counts {
        outln!("{name:<12} {count:>8}");
    }
    outln!("{}", cost_line(&site.cost, seconds(&site)));
    Ok(Exit::Passed)
}
