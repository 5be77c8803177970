//! The page on the terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::answers;
use super::check_result::CheckResult;
use super::explanation::in_words;
use super::group_result::GroupResult;
use super::observation::Observation;
use super::verdict::GroupVerdict;
use lab_report::printable;
use runner::Severity;
use scenario::{Group, quantity};

/// Longest example on the page, in characters; reports for other programs have the whole text.
const MAX_EXAMPLE: usize = 160;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

fn style(verdict: GroupVerdict) -> Style {
    match verdict {
        GroupVerdict::Ok => AnsiColor::Green.on_default(),
        GroupVerdict::Found(Severity::Bug) => AnsiColor::Red.on_default().bold(),
        GroupVerdict::Found(Severity::Risk) => AnsiColor::Yellow.on_default().bold(),
        GroupVerdict::Found(Severity::Advice) => AnsiColor::Cyan.on_default().bold(),
        GroupVerdict::HiddenBy(_) | GroupVerdict::NotApplicable(_) => DIM,
    }
}

/// The page as text, with colours that are left out where they are not wanted.
pub fn page(result: &CheckResult) -> String {
    let mut page = String::new();
    let shell = result.shell.as_ref().map_or(String::new(), |shell| format!(" under {shell}"));
    let _ = writeln!(
        page,
        "{}{shell}, dialect {}: {}, {}, {:.0} s\n",
        result.script,
        result.dialect,
        quantity(result.cases, "case"),
        quantity(result.calls, "call"),
        result.took.as_secs_f64()
    );
    for group in &result.groups {
        write_group(&mut page, group, result);
    }
    if let Some(why) = &result.ended_early {
        let _ = writeln!(page, "\nThe check ended early: {why}");
    }
    page.push('\n');
    for (question, answer) in answers::all(result) {
        let _ = writeln!(page, "{BOLD}{question}:{BOLD:#} {answer}");
    }
    page
}

fn write_group(page: &mut String, result: &GroupResult, check: &CheckResult) {
    let style = style(result.verdict);
    let plural = |count: usize| if count == 1 { "case" } else { "cases" };
    let cases = match (result.group, result.cases_like_example()) {
        (Group::Atomic, _) => format!("{} cuts and kills", check.cuts.points),
        (_, 0) => format!("{} {}", result.cases, plural(result.cases)),
        (group, alike) => {
            let elsewhere = |observation: &Observation| observation.found_in != group;
            if result.observations.iter().any(elsewhere) {
                format!("{alike} {}", plural(alike))
            } else {
                format!("{alike} of {} {}", result.cases, plural(result.cases))
            }
        }
    };
    let _ = writeln!(
        page,
        "{style}{:<7}{style:#}{:<16} {:<34} {cases}",
        result.verdict.name(),
        result.group.name(),
        result.group.title(),
    );
    if let Some(why) = result.verdict.why() {
        let _ = writeln!(page, "         {why}");
    }
    if let Some(example) = result.example() {
        let _ = writeln!(page, "         {}", shortened(&in_words(example)));
        if let Some(line) = example.stderr.first() {
            let _ = writeln!(page, "         stderr: {}", shortened(&printable(line)));
        }
        let _ = writeln!(page, "         in: {}", example.title);
        let _ = writeln!(page, "         {DIM}{}{DIM:#}", example.command);
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_EXAMPLE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
