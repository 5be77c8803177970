//! Failures and the verdicts of groups, as text for a terminal.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use lab_report::{Call, Failure, GroupVerdict, Severity};

/// Maximum number of failures that are printed in full without `--verbose`.
const MAX_FAILURES: usize = 20;
/// Maximum number of commands of a call.
const MAX_COMMANDS: usize = 12;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const MINUS: Style = AnsiColor::Red.on_default();
const PLUS: Style = AnsiColor::Green.on_default();

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Bug => AnsiColor::Red.on_default().bold(),
        Severity::Risk => AnsiColor::Yellow.on_default().bold(),
        Severity::Advice => AnsiColor::Cyan.on_default().bold(),
    }
}

/// How many failures to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The most serious ones.
    Some,
    /// All of them, with the whole environment of each call.
    All,
}

/// Prints each failure with its example.
pub fn print_failures(failures: &[Failure], detail: Detail) {
    let mut failures: Vec<&Failure> = failures.iter().collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.severity));
    let shown = match detail {
        Detail::All => failures.len(),
        Detail::Some => MAX_FAILURES.min(failures.len()),
    };
    for failure in &failures[..shown] {
        outln!();
        for line in failure_lines(failure, detail) {
            outln!("{line}");
        }
    }
    if let more @ 1.. = failures.len() - shown {
        outln!();
        outln!("{more} more failures: --html FILE shows them on a page");
    }
}

/// Prints a table with the verdict of each group.
pub fn print_groups(groups: &[GroupVerdict]) {
    if groups.iter().any(|group| group.cases > 0) {
        outln!();
        print_table(groups);
    }
}

/// Prints a line for each group to which a failure belongs, with its most serious one and the number of findings.
pub fn print_found_groups(failures: &[Failure]) {
    let mut found: BTreeMap<&str, (Severity, usize)> = BTreeMap::new();
    for Failure { group, severity, count, .. } in failures {
        let (worst, total) = found.entry(group).or_insert((*severity, 0));
        (*worst, *total) = ((*worst).max(*severity), *total + count);
    }
    if found.is_empty() {
        return;
    }
    outln!();
    outln!("{BOLD}{:<36}{:<12}{:>8}{BOLD:#}", "group", "verdict", "found");
    for (group, (worst, count)) in found {
        let style = style(worst);
        outln!("{group:<36}{style}{:<12}{style:#}{count:>8}", worst.name());
    }
    outln!();
}

fn print_table(groups: &[GroupVerdict]) {
    outln!("{BOLD}{:<36}{:<12}{:>7}{:>8}{BOLD:#}", "group", "verdict", "cases", "found");
    for group in groups {
        let (style, word) = match group.severity {
            Some(severity) => (style(severity), severity.name()),
            None if group.cases == 0 => (DIM, "not tested"),
            None => (GOOD, "holds"),
        };
        let GroupVerdict { title, cases, failed, .. } = group;
        outln!("{title:<36}{style}{word:<12}{style:#}{cases:>7}{failed:>8}");
    }
}

/// A failure with its example, one line after another.
pub(super) fn failure_lines(failure: &Failure, detail: Detail) -> Vec<String> {
    let severity = style(failure.severity);
    let times = match (failure.count, failure.cases.len()) {
        (1, _) => String::new(),
        (count, 1) => format!(" ×{count}"),
        (count, cases) => format!(" ×{count} in {cases} cases"),
    };
    let mut lines = vec![
        format!(
            "{severity}{}{severity:#} {BOLD}{}{BOLD:#}{times}",
            failure.severity.name(),
            failure.kind
        ),
        format!("  {}", failure.text),
    ];
    let mut add = |name: &str, text: &str| lines.push(format!("  {DIM}{name:<10}{DIM:#} {text}"));
    add("scenario", &failure.title);
    add("case", &failure.case);
    if failure.step > 0 {
        let Failure { step, file, line, step_text, .. } = failure;
        add(&format!("step {step}"), &format!("{step_text}  ({file}:{line})"));
    }
    if let Some(call) = &failure.call {
        for (name, text) in call_lines(call, detail) {
            add(name, &text);
        }
    }
    let mut name = "leases";
    for (sign, style, side) in [('-', MINUS, &failure.expected), ('+', PLUS, &failure.found)] {
        for line in side {
            add(name, &format!("{style}{sign} {line}{style:#}"));
            name = "";
        }
    }
    if let Some(hint) = &failure.hint {
        add("hint", hint);
    }
    for (name, command) in [("reproduce:", &failure.reproduce), ("or by id:", &failure.replay)] {
        if !command.is_empty() {
            add(name, command);
        }
    }
    lines
}

/// A call with its environment, its commands and what it wrote to stderr.
fn call_lines(call: &Call, detail: Detail) -> Vec<(&'static str, String)> {
    let end = match &call.fault {
        Some(fault) => format!("{}, with {fault}", call.end),
        None => call.end.clone(),
    };
    let mut lines = vec![("call", format!("{} -> {end}", call.arguments))];
    match detail {
        Detail::Some if call.environment.is_empty() => {}
        Detail::Some => lines.push(("env", call.environment.join(" "))),
        Detail::All => lines.extend(call.environment.iter().map(|line| ("env", line.clone()))),
    }
    let mut name = "nvram";
    for command in call.commands.iter().take(MAX_COMMANDS) {
        let code = command.code.map_or("no exit code".to_owned(), |code| format!("exit {code}"));
        lines.push((name, format!("{} -> {code}", command.arguments)));
        name = "";
    }
    if let Some(more @ 1..) = call.commands.len().checked_sub(MAX_COMMANDS) {
        lines.push(("", format!("and {more} more")));
    }
    if call.commands.is_empty() {
        lines.push(("nvram", "no command".to_owned()));
    }
    let mut name = "stderr";
    for line in &call.stderr {
        lines.push((name, line.clone()));
        name = "";
    }
    lines
}
