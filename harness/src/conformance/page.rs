//! The page on the terminal.

use std::fmt::Write as _;

use super::answers;
use super::check_result::CheckResult;
use super::explanation::in_words;
use super::group_result::GroupResult;
use scenario::Group;

/// Longest example on the page, in characters; reports for other programs have the whole text.
const MAX_EXAMPLE: usize = 160;

/// The page as text.
pub fn page(result: &CheckResult) -> String {
    let mut page = String::new();
    let shell = result.shell.as_ref().map_or(String::new(), |shell| format!(" under {shell}"));
    let _ = writeln!(
        page,
        "{}{shell}, dialect {}: {} cases, {} calls, {:.0} s\n",
        result.script,
        result.dialect,
        result.cases,
        result.calls,
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
        let _ = writeln!(page, "{question}: {answer}");
    }
    page
}

fn write_group(page: &mut String, result: &GroupResult, check: &CheckResult) {
    let cases = match (result.group, result.cases_like_example()) {
        (Group::Atomic, _) => format!("{} cuts and kills", check.cuts.points),
        (_, 0) => format!("{} cases", result.cases),
        (group, alike) => {
            let own = result.observations.iter().any(|observation| observation.found_in != group);
            if own {
                format!("{alike} cases")
            } else {
                format!("{alike} of {} cases", result.cases)
            }
        }
    };
    let _ = writeln!(
        page,
        "{:<7}{:<16} {:<34} {cases}",
        result.verdict.name(),
        result.group.name(),
        result.group.title(),
    );
    if let Some(why) = result.verdict.why() {
        let _ = writeln!(page, "         {why}");
    }
    if let Some(example) = result.example() {
        let _ = writeln!(page, "         {}", shortened(&in_words(example)));
        let _ = writeln!(page, "         in: {}", example.title);
        let _ = writeln!(page, "         {}", example.command);
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_EXAMPLE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
