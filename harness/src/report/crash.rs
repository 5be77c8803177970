//! Reports of `leaselab crash`.

use std::path::Path;

use super::failure_text::failure_lines;
use super::failures::severity;
use super::{Detail, FoldedFindings, JunitEnd, JunitTest, Place};
use crate::words::Words;
use explore::crash::{PointCount, PointKind, Report, Violation};
use lab_report::{
    Breach, CaseText, Count, CrashReport, Document, Failure, printable, printable_lines,
};
use scenario::diagnostics::SourceError;
use scenario::{Case, Id, quantity};

/// Unexpected results, each with the name of its case.
pub type Faults = Vec<(String, String)>;

/// Prints the counts of a case.
pub fn print_case(case: &Case, report: &Report, list: bool) {
    let Report { distinct, kept, lost, broken, allowed, declared, .. } = report;
    let points = quantity(report.points, "point");
    let allowed_text =
        if *allowed > 0 { format!("{allowed} with advice or risks, ") } else { String::new() };
    outln!("{}", case.name());
    outln!(
        "  {points}, {distinct} distinct: {kept} kept, {lost} lost unavoidably, \
         {declared} broken as declared, {allowed_text}{broken} broken"
    );
    if report.points == 0 && report.has_hung() {
        outln!("  not explored, because a call hung without a fault");
    }
    outln!("  {}", window(report));
    for (id, verdict) in report.listed.iter().filter(|_| list) {
        outln!("  {verdict:<7}{id}");
    }
}

/// Adds what was found in a case, each violation as a finding. `command` renders the command that replays an id.
pub fn add_violations(
    found: &mut FoldedFindings,
    case: &Case,
    violations: &[Violation],
    command: &dyn Fn(&Id) -> String,
) {
    for violation in violations {
        let place = Place {
            title: &case.scenario.title,
            path: &case.source.path,
            case: &case.name(),
            reproduce: command(&violation.id),
            replay: String::new(),
        };
        found.add(&violation.finding(case), violation.count, &place);
    }
}

/// Adds what was found in the run without faults. `commands` run the case again, and by its id.
pub fn add_undisturbed(
    found: &mut FoldedFindings,
    case: &Case,
    report: &Report,
    (run, replay): (&Words, &Words),
) {
    let name = case.name();
    let place = Place {
        title: &case.scenario.title,
        path: &case.source.path,
        case: &name,
        reproduce: run.to_string(),
        replay: replay.to_string(),
    };
    for finding in &report.undisturbed {
        found.add(finding, 1, &place);
    }
}

fn window(report: &Report) -> String {
    let window = &report.window;
    let Some(commit) = window.per_commit() else { return "fatal window: no commit".to_owned() };
    let hours = window.simulated.as_secs_f64() / 3600.0;
    let year = match window.per_year() {
        Some(year) if hours >= 24.0 => {
            format!("{year:.0} s a year at the rate of this scenario's {:.1} days", hours / 24.0)
        }
        Some(year) if hours >= 1.0 => {
            format!("{year:.0} s a year if every day went like this scenario's {hours:.1} h")
        }
        _ => "the scenario is shorter than an hour: too short for a rate per year".to_owned(),
    };
    format!("fatal window: {commit:.3} s a commit, {}; {year}", quantity(window.commits, "commit"))
}

/// Prints the points of all cases by kind.
pub fn print_total(total: &Report) {
    outln!("{:<24}{:>12}{:>12}", "kind of point", "points", "distinct");
    for kind in PointKind::ALL {
        let count = total.coverage.get(&kind).copied().unwrap_or_default();
        outln!("{kind:<24}{:>12}{:>12}", count.points, count.distinct);
    }
    let rate = per_second(total.checked, total);
    outln!(
        "{} loaded, read and judged in {:.2} s of processor time; {rate} states/s/core",
        quantity(total.images, "distinct image"),
        total.took.as_secs_f64()
    );
}

/// Prints the last line of an exploration.
pub fn print_last_line(total: &Report) {
    let Report { distinct, checked, images, broken, .. } = total;
    let points = quantity(total.points, "point");
    let rate = per_second(*images, total);
    outln!(
        "{points}, {distinct} distinct, {checked} checked, {broken} broken, {rate} checks/s/core"
    );
}

fn per_second(count: u64, report: &Report) -> u64 {
    (count as f64 / report.took.as_secs_f64().max(1e-9)) as u64
}

/// The JUnit test of a case with these failures. `undisturbed` is the number of findings without a fault that make it fail.
pub fn junit(case: &Case, report: &Report, failures: &[Failure], undisturbed: usize) -> JunitTest {
    let end = if report.broken == 0 && undisturbed == 0 {
        JunitEnd::Passed
    } else {
        let mut parts = Vec::new();
        if undisturbed > 0 {
            parts.push(quantity(undisturbed, "finding") + " without a fault");
        }
        if report.broken > 0 {
            parts.push(format!("{} of {} states broken", report.broken, report.checked));
        }
        let lines: Vec<String> =
            failures.iter().flat_map(|failure| failure_lines(failure, Detail::Some)).collect();
        let description = anstream::adapter::strip_str(&lines.join("\n")).to_string();
        let kind = failures.first().map_or(String::new(), |failure| failure.kind.clone());
        JunitEnd::Failed { kind, message: parts.join(", "), description }
    };
    let first = failures.iter().find(|failure| failure.line > 0);
    let calls = failures.iter().filter_map(|failure| failure.call.as_ref());
    let stderr: Vec<String> = calls.flat_map(|call| call.stderr.clone()).collect();
    JunitTest {
        line: first.map_or(1, |failure| failure.line),
        stderr: stderr.join("\n"),
        ..JunitTest::of_case(case, report.took, end)
    }
}

/// The JUnit test of a case that cannot be explored.
pub fn skipped(case: &Case, why: &str) -> JunitTest {
    JunitTest::of_case(case, std::time::Duration::ZERO, JunitEnd::Skipped(why.to_owned()))
}

/// Prints a case that asks for something that cannot be carried out.
pub fn print_invalid(case: &Case, error: &SourceError) {
    outln!("{}: invalid", case.name());
    for line in error.to_string().lines() {
        outln!("  {line}");
    }
}

/// The JUnit test of a case that asks for something that cannot be carried out.
pub fn invalid(case: &Case, error: &SourceError) -> JunitTest {
    let end = JunitEnd::Error { message: error.message.clone(), description: error.to_string() };
    JunitTest::of_case(case, std::time::Duration::ZERO, end)
}

/// Counts and findings as a document. `invalid` are the cases that cannot be carried out, with the error; `command` renders
/// the command that replays an id.
pub fn document(
    script: Option<&Path>,
    (total, failures): (&Report, Vec<Failure>),
    faults: &Faults,
    invalid: &Faults,
    command: &dyn Fn(&Id) -> String,
) -> Document {
    let coverage = total.coverage.iter().map(|(kind, count)| {
        let PointCount { points, distinct } = *count;
        (kind.to_string(), Count { points, distinct })
    });
    let breach = |violation: &Violation| Breach {
        invariant: violation.invariant.name().to_owned(),
        severity: severity(violation.severity),
        group: violation.group.name().to_owned(),
        step: violation.step,
        text: printable(&violation.text),
        count: violation.count,
        id: violation.id.to_string(),
        replay: command(&violation.id),
    };
    let texts = |faults: &Faults| {
        let text = |(case, text): &(String, String)| CaseText {
            case: printable(case),
            text: printable_lines(text),
        };
        faults.iter().map(text).collect()
    };
    Document::Crash(CrashReport {
        leaselab: env!("CARGO_PKG_VERSION").to_owned(),
        script: script.map(|path| printable(&path.to_string_lossy())),
        points: total.points,
        distinct: total.distinct,
        checked: total.checked,
        images: total.images,
        kept: total.kept,
        lost: total.lost,
        allowed: total.allowed,
        declared: total.declared,
        broken: total.broken,
        coverage: coverage.collect(),
        breaches: total.violations.iter().map(breach).collect(),
        failures,
        faults: texts(faults),
        invalid: texts(invalid),
        commits: total.window.commits,
        fatal_window_seconds: total.window.open.as_secs_f64(),
        simulated_seconds: total.window.simulated.as_secs_f64(),
        processor_seconds: total.took.as_secs_f64(),
    })
}
