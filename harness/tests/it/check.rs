//! `leaselab check`: the verdicts on scripts of several kinds.

use std::path::Path;

use serde_json::Value;

use super::lab::Lab;

/// The repository's folder of scripts.
fn scripts() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/scripts").display().to_string()
}

/// The verdict of each group in the JSON report of a check, without those that are `ok`.
fn verdicts(lab: &Lab, script: &str, options: &[&str]) -> Vec<(String, String)> {
    let arguments = [&["check", script, "--json", "report.json", "-j", "2"], options].concat();
    let output = lab.command(&arguments).output().expect("leaselab runs");
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    let report: Value = serde_json::from_str(&lab.read("report.json")).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let groups = report["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 10);
    groups
        .iter()
        .map(|group| (text(&group["group"]), text(&group["verdict"])))
        .filter(|(_, verdict)| verdict != "ok")
        .collect()
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(group, verdict)| ((*group).to_owned(), (*verdict).to_owned())).collect()
}
