//! What `leaselab crash` writes for machines.

use crate::report::{JunitEnd, JunitTest};
use explore::crash::Report;
use scenario::Case;

/// The test of one case in a JUnit report; `script` is what a replay has to name again.
pub(super) fn junit(case: &Case, report: &Report, script: &str) -> JunitTest {
    let mut lines = Vec::new();
    for breach in &report.breaches {
        let name = breach.invariant.name();
        lines.push(format!("step {}: {name}: {}", breach.step, breach.text));
        lines.push(format!("  leaselab replay '{}'{script}", breach.id));
    }
    let end = if report.broken == 0 {
        JunitEnd::Passed
    } else {
        let message = format!("{} of {} states broken", report.broken, report.checked);
        JunitEnd::Failed { message, description: lines.join("\n") }
    };
    test(case, report.took, end)
}

/// The test of a case that could not be explored.
pub(super) fn skipped(case: &Case, why: &str) -> JunitTest {
    test(case, std::time::Duration::ZERO, JunitEnd::Skipped(why.to_owned()))
}

fn test(case: &Case, took: std::time::Duration, end: JunitEnd) -> JunitTest {
    JunitTest {
        suite: case.source.path.to_string_lossy().into_owned(),
        class: case.scenario.title.clone(),
        name: case.name(),
        took,
        end,
    }
}

/// Counts and findings.
pub(super) fn json(total: &Report) -> String {
    let coverage: serde_json::Map<String, serde_json::Value> = total
        .coverage
        .iter()
        .map(|(kind, count)| {
            let counts = serde_json::json!({ "points": count.points, "distinct": count.distinct });
            (kind.to_string(), counts)
        })
        .collect();
    let breaches: Vec<serde_json::Value> = total
        .breaches
        .iter()
        .map(|breach| {
            let (name, id) = (breach.invariant.name(), breach.id.to_string());
            serde_json::json!({ "invariant": name, "step": breach.step, "text": breach.text, "id": id })
        })
        .collect();
    let value = serde_json::json!({
        "points": total.points,
        "distinct": total.distinct,
        "checked": total.checked,
        "images": total.images,
        "kept": total.kept,
        "lost": total.lost,
        "declared": total.declared,
        "broken": total.broken,
        "coverage": coverage,
        "breaches": breaches,
        "commits": total.window.commits,
        "fatal_window_seconds": total.window.open.as_secs_f64(),
        "simulated_seconds": total.window.simulated.as_secs_f64(),
        "processor_seconds": total.took.as_secs_f64(),
    });
    format!("{value:#}\n")
}
