//! The report as JSON and CSV.

use std::fmt::Write as _;

use serde_json::json;

use super::cross_check::CrossCheck;
use super::study::{Calls, Method, RowResult, Study};

/// Returns the report as a JSON object.
pub fn json(study: &Study, results: &[RowResult], cross_checks: &[CrossCheck]) -> String {
    let rows: Vec<_> = results.iter().flatten().collect();
    let unsupported: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    let (simulation, workloads) = match &study.calls {
        Calls::Simulated(simulation) => (Some(simulation), None),
        Calls::Repeated { source, .. } => (None, Some(source.labels())),
    };
    let report = json!({
        "schema": 1,
        "command": "wear",
        "leaselab": env!("CARGO_PKG_VERSION"),
        "answer": study.answer(results),
        "router": study.model,
        "household": simulation.map(|simulation| &simulation.household),
        "workloads": workloads,
        "seed": simulation.map(|simulation| simulation.seed),
        "seconds": simulation.map(|simulation| simulation.seconds),
        "rendered": simulation.is_some_and(|simulation| simulation.method == Method::Execute),
        "assumptions": [
            "a block is worn out after the erases that its chip is rated for; nothing else erases it",
            "typical times of the data sheet; commits do not overlap",
            "a power cut between the first and the last operation on the image loses all settings",
            "a month has 30 days, a year 365",
        ],
        "rows": rows,
        "impossible": unsupported,
        "processes": cross_checks,
    });
    format!("{report:#}\n")
}

/// Returns the report as CSV: a header and a line for each row. No field contains a comma or a quote.
pub fn csv(results: &[RowResult]) -> String {
    let mut out = String::from(
        "workload,every,rtc,dialect,chip,script,seconds,calls,failed,lost,commands,commits,erases,busiest,programmed,payload,erasing_us,\
         programming_us,fatal_us,endurance,years,clients_under_10,clients_under_5,lease_under_10,lease_under_5,full\n",
    );
    let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    for row in results.iter().flatten() {
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
            wear.total_erases(),
            wear.max_erases(),
            wear.programmed,
            wear.payload,
            wear.erasing,
            wear.programming,
            wear.fatal,
            row.endurance,
            row.yearly.years.map_or_else(String::new, |years| format!("{years:.4}")),
            number(limits.and_then(|limits| limits.clients_under_10)),
            number(limits.and_then(|limits| limits.clients_under_5)),
            number(limits.and_then(|limits| limits.lease_under_10)),
            number(limits.and_then(|limits| limits.lease_under_5)),
            row.nvram_full,
        );
    }
    out
}
