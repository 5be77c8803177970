//! The report for machines: JSON, and a table for spreadsheets.

use std::fmt::Write as _;

use serde_json::json;

use super::cross_check::CrossCheck;
use super::sources::Source;
use super::study::{Entry, Study};

/// One JSON object.
pub fn json(study: &Study, entries: &[Entry], held: &[CrossCheck]) -> String {
    let rows: Vec<_> = entries.iter().flatten().collect();
    let nothing: Vec<_> = entries.iter().filter_map(|entry| entry.as_ref().err()).collect();
    let report = json!({
        "leaselab": env!("CARGO_PKG_VERSION"),
        "household": study.source.is_none().then_some(&study.household),
        "workloads": study.source.as_ref().map(Source::labels),
        "seed": study.seed,
        "seconds": study.seconds,
        "rendered": study.rendered,
        "assumptions": [
            "a block is worn out after the erases that its chip is rated for; nothing else erases it",
            "typical times of the data sheet; commits do not overlap",
            "a power cut between the first and the last operation on the image takes all settings along",
            "a month has 30 days, a year 365",
        ],
        "rows": rows,
        "impossible": nothing,
        "processes": held,
    });
    format!("{report:#}\n")
}

/// One line for each row, with a header. No field holds a comma or a quote.
pub fn csv(entries: &[Entry]) -> String {
    let mut out = String::from(
        "workload,every,rtc,dialect,chip,script,seconds,calls,failed,lost,commands,commits,erases,busiest,programmed,payload,erasing_us,\
         programming_us,fatal_us,endurance,years,clients_under_10,clients_under_5,lease_under_10,lease_under_5,full\n",
    );
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    for row in entries.iter().flatten() {
        let wear = &row.wear;
        let limits = row.limits;
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            row.workload.as_deref().unwrap_or("household").replace([',', '"'], " "),
            row.every,
            row.rtc,
            row.dialect,
            row.chip,
            row.script.replace(',', ""),
            wear.seconds,
            wear.calls,
            wear.failed,
            wear.lost,
            wear.commands,
            wear.commits,
            wear.erases.iter().sum::<u64>(),
            wear.busiest(),
            wear.programmed,
            wear.payload,
            wear.erasing,
            wear.programming,
            wear.fatal,
            row.endurance,
            row.life.years.map_or_else(String::new, |years| format!("{years:.4}")),
            number(limits.and_then(|limits| limits.clients_under_10)),
            number(limits.and_then(|limits| limits.clients_under_5)),
            number(limits.and_then(|limits| limits.lease_under_10)),
            number(limits.and_then(|limits| limits.lease_under_5)),
            row.full,
        );
    }
    out
}
