//! `leaselab check`: the verdicts on scripts of several kinds.

use std::path::Path;

use rstest::rstest;
use serde_json::Value;

use super::lab::Lab;

/// The JSON report of a quick check of a script of this repository, and the exit code.
fn check(lab: &Lab, script: &str, options: &[&str]) -> (Value, i32) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(script);
    let script = script.to_str().expect("a path in UTF-8");
    let arguments = [&["check", script, "--quick", "--json", "report.json"], options].concat();
    let output = lab.command(&arguments).output().expect("leaselab runs");
    let code = output.status.code().unwrap_or(-1);
    assert!([0, 1].contains(&code), "{output:?}");
    (serde_json::from_str(&lab.read("report.json")).expect("JSON"), code)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The verdict of each group that is not `ok`, in the order of the page.
fn verdicts(report: &Value) -> Vec<(&str, &str)> {
    let groups = report["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 10);
    let verdicts = groups.iter().map(|group| (text(&group["group"]), text(&group["verdict"])));
    verdicts.filter(|(_, verdict)| *verdict != "ok").collect()
}
