//! Reports of a check for other programs.

use serde_json::{Value, json};

use super::answers;
use super::check_result::CheckResult;
use super::explanation::in_words;
use super::group_result::GroupResult;
use super::observation::Observation;
use super::verdict::GroupVerdict;
use crate::report::{JunitEnd, JunitTest};
use runner::GatePolicy;

/// The result as JSON.
pub fn check_json(result: &CheckResult) -> String {
    let groups: Vec<Value> = result.groups.iter().map(group_json).collect();
    let cuts = &result.cuts;
    let life = result.life.as_ref().map(|life| {
        json!({
            "years": life.years,
            "years_with_leaselabs_script": life.ours,
            "chip": life.chip,
            "erases_per_block": life.endurance,
            "household": life.household,
            "calls": life.calls,
            "text": answers::flash_life(life),
        })
    });
    let value = json!({
        "leaselab": env!("CARGO_PKG_VERSION"),
        "command": "check",
        "script": result.script,
        "shell": result.shell,
        "dialect": result.dialect,
        "cases": result.cases,
        "calls": result.calls,
        "seconds": result.took.as_secs_f64(),
        "ended_early": result.ended_early,
        "groups": groups,
        "flash_life": life,
        "power_cuts": {
            "points": cuts.points,
            "outcomes": cuts.checked,
            "kept": cuts.kept,
            "lost": cuts.lost,
            "broken": cuts.broken,
            "text": answers::power_cuts(cuts),
        },
        "fix_first": answers::fix_first(result),
    });
    format!("{value:#}\n")
}

fn group_json(result: &GroupResult) -> Value {
    let observations: Vec<Value> = result.observations.iter().map(observation_json).collect();
    let (hidden_by, why) = match result.verdict {
        GroupVerdict::HiddenBy(other) => (Some(other.name()), None),
        GroupVerdict::NotApplicable(why) => (None, Some(why)),
        GroupVerdict::Ok | GroupVerdict::Found(_) => (None, None),
    };
    json!({
        "group": result.group.name(),
        "title": result.group.title(),
        "verdict": result.verdict.name(),
        "hidden_by": hidden_by,
        "why": why,
        "cases": result.cases,
        "findings": observations,
    })
}

fn observation_json(observation: &Observation) -> Value {
    json!({
        "severity": observation.severity.name(),
        "case": observation.case,
        "title": observation.title,
        "text": in_words(observation),
        "reproduction": observation.command.to_string(),
    })
}

/// A JUnit test for each group. A group fails as the exit code does.
pub fn check_junit(result: &CheckResult, gate: &GatePolicy) -> Vec<JunitTest> {
    result.groups.iter().map(|group| junit_test(group, result, gate)).collect()
}

fn junit_test(group: &GroupResult, result: &CheckResult, gate: &GatePolicy) -> JunitTest {
    let end = match (group.verdict, group.example()) {
        (GroupVerdict::Found(severity), Some(example)) if gate.denies(severity, group.group) => {
            let all = group.observations.iter().map(|observation| {
                format!(
                    "{}: {}\n  {}",
                    observation.case,
                    in_words(observation),
                    observation.command
                )
            });
            JunitEnd::Failed {
                message: format!("{}: {}", severity.name(), in_words(example)),
                description: all.collect::<Vec<String>>().join("\n"),
            }
        }
        (GroupVerdict::NotApplicable(why), _) => JunitEnd::Skipped(why.to_owned()),
        (GroupVerdict::HiddenBy(other), _) => {
            JunitEnd::Skipped(format!("every case shows what {} reports", other.name()))
        }
        _ => JunitEnd::Passed,
    };
    JunitTest {
        suite: result.script.clone(),
        class: "leaselab check".to_owned(),
        name: group.group.name().to_owned(),
        took: std::time::Duration::ZERO,
        end,
    }
}
