//! The answers at the end of the page.

use super::check_result::CheckResult;
use super::explanation::{remedy, urgency};
use super::flash_life::{FlashLife, LifeEstimate};
use explore::crash::Report;
use runner::Severity;

/// The questions, in two words each, with their answers.
pub(super) fn all(result: &CheckResult) -> [(&'static str, String); 3] {
    let life = match &result.life {
        LifeEstimate::Measured(life) => flash_life(life),
        LifeEstimate::NotMeasured(why) => format!("Not measured: {why}."),
    };
    [
        ("Flash life", life),
        ("Power cuts", power_cuts(&result.cuts)),
        ("Fix first", fix_first(result)),
    ]
}

/// How long the flash lives.
fn flash_life(life: &FlashLife) -> String {
    let FlashLife { chip, endurance, household, .. } = life;
    let years = |years: Option<f64>| match years {
        None => "for ever".to_owned(),
        Some(years) if years >= 100.0 => format!("{years:.0} years"),
        Some(years) if years >= 1.0 => format!("{years:.1} years"),
        Some(years) => format!("{:.0} days", (years * 365.0).max(1.0)),
    };
    let ours = match life.ours {
        ours if ours == life.years => "as long as with leaselab's own script".to_owned(),
        ours => format!("with leaselab's own script {}", years(ours)),
    };
    match life.years {
        None => format!(
            "The script does not write to the NVRAM in a typical household ({household}); {ours}."
        ),
        lived => format!(
            "It lasts {} in a typical household ({household}; {chip}, {endurance} erases a block), {ours}.",
            years(lived)
        ),
    }
}

/// How many power cuts were explored.
fn power_cuts(report: &Report) -> String {
    let Report { points, checked, kept, lost, allowed, broken, .. } = report;
    if *points == 0 {
        return "None was explored.".to_owned();
    }
    let unavoidable = match lost {
        0 => "none lost anything".to_owned(),
        lost => {
            format!("{lost} lost everything, which no script can prevent on a store with one copy")
        }
    };
    let risky = match allowed {
        0 => String::new(),
        allowed => format!("{allowed} with risks or advice, "),
    };
    format!(
        "{points} power cuts and kills explored, {checked} different outcomes: {kept} kept everything, {unavoidable}, \
         {risky}{broken} broken by the script."
    )
}

/// What to fix first.
fn fix_first(result: &CheckResult) -> String {
    let worst =
        result.groups.iter().filter_map(|group| Some((group.group, group.example()?))).min_by_key(
            |(group, example)| {
                (std::cmp::Reverse(example.severity), urgency(example.cause, *group))
            },
        );
    match worst {
        None => "Nothing: no bug, no risk, no advice.".to_owned(),
        Some((group, example)) => {
            let optional = match example.severity {
                Severity::Advice => "Nothing is urgent; to spare the flash, ",
                Severity::Risk => "No bug; against the risk in ",
                Severity::Bug => "The bug in ",
            };
            let name = match example.severity {
                Severity::Advice => String::new(),
                _ => format!("{}: ", group.name()),
            };
            format!("{optional}{name}{}.", remedy(example.cause, group))
        }
    }
}
