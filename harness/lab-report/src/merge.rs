//! Merges the reports of the shards of one run.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::cases::CasesReport;
use crate::document::Document;

/// Why two reports cannot be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// The reports are of different commands.
    #[error("a report of `{0}` cannot be merged with one of `{1}`")]
    Commands(&'static str, &'static str),
    /// The reports are of a command that has no shards. Only commands that run cases have shards.
    #[error("reports of `{0}` have no shards; expected reports of run, live or qemu run")]
    NoShards(&'static str),
}

impl Document {
    /// Returns a report of all cases of two reports.
    ///
    /// # Errors
    /// Returns an error if the reports are of different commands, or of a command that has no shards.
    pub fn merge(self, other: Self) -> Result<Self, MergeError> {
        let (command, other_command) = (self.command(), other.command());
        match (self, other) {
            (Self::Run(one), Self::Run(two)) => Ok(Self::Run(merge_cases(one, two))),
            (Self::Live(one), Self::Live(two)) => Ok(Self::Live(merge_cases(one, two))),
            (Self::Qemu(one), Self::Qemu(two)) => Ok(Self::Qemu(merge_cases(one, two))),
            _ if command == other_command => Err(MergeError::NoShards(command)),
            _ => Err(MergeError::Commands(command, other_command)),
        }
    }
}

fn merge_cases(mut one: CasesReport, mut two: CasesReport) -> CasesReport {
    one.passed += two.passed;
    one.failed += two.failed;
    one.invalid += two.invalid;
    one.skipped += two.skipped;
    for verdict in two.groups {
        match one.groups.iter_mut().find(|own| own.group == verdict.group) {
            Some(own) => {
                own.severity = own.severity.max(verdict.severity);
                own.cases += verdict.cases;
                own.failed += verdict.failed;
            }
            None => one.groups.push(verdict),
        }
    }
    merge_failures(&mut one, &mut two.failures, &mut two.scenarios);
    for scenario in two.scenarios {
        match one.scenarios.iter_mut().find(|own| own.file == scenario.file) {
            Some(own) => own.cases.extend(scenario.cases),
            None => one.scenarios.push(scenario),
        }
    }
    one.scenarios.sort_by(|a, b| a.file.cmp(&b.file));
    for left_out in two.left_out {
        if !one.left_out.contains(&left_out) {
            one.left_out.push(left_out);
        }
    }
    one.timelines.append(&mut two.timelines);
    one
}

/// Adds failures to those of a report, combining equal failures, and assigns new ids to all of them in their order.
fn merge_failures(
    one: &mut CasesReport,
    failures: &mut Vec<crate::failure::Failure>,
    scenarios: &mut [crate::cases::Scenario],
) {
    // Until the new ids are assigned, the ids of the second report must differ from those of the first.
    let foreign = |id: &str| format!("+{id}");
    for finding in scenarios.iter_mut().flat_map(|s| &mut s.cases).flat_map(|c| &mut c.failures) {
        finding.failure = foreign(&finding.failure);
    }
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for mut failure in failures.drain(..) {
        let id = foreign(&failure.id);
        let equal = one.failures.iter_mut().find(|own| {
            (&own.kind, &own.group, &own.text) == (&failure.kind, &failure.group, &failure.text)
        });
        if let Some(own) = equal {
            own.count += failure.count;
            own.cases.append(&mut failure.cases);
            ids.insert(id, own.id.clone());
        } else {
            failure.id = id;
            one.failures.push(failure);
        }
    }
    one.failures.sort_by_key(|failure| {
        Reverse((failure.severity, failure.kind != "expectation", failure.cases.len()))
    });
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for (index, failure) in one.failures.iter_mut().enumerate() {
        let id = format!("f{}", index + 1);
        renamed.insert(std::mem::replace(&mut failure.id, id.clone()), id);
    }
    let own = one.scenarios.iter_mut().chain(scenarios);
    for finding in own.flat_map(|scenario| &mut scenario.cases).flat_map(|case| &mut case.failures)
    {
        let id = ids.get(&finding.failure).unwrap_or(&finding.failure);
        if let Some(id) = renamed.get(id) {
            finding.failure.clone_from(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wear::WearReport;

    fn run(text: &str) -> Document {
        let text = format!(
            r#"{{"schema": 1, "command": "run", "leaselab": "0.1.0", "passed": 1, "failed": 1, "invalid": 0, "skipped": 0,
            "failures": [{{"id": "f1", "group": "atomic", "severity": "bug", "kind": "atomicity", "count": 2,
                "cases": ["{text}"], "text": "{text}", "story": "", "file": "a.toml", "line": 1, "case": "{text}", "step": 1,
                "step_text": "", "call": null, "expected": [], "found": [], "hint": null, "reproduce": "", "replay": ""}}],
            "scenarios": [{{"file": "a.toml", "title": "A", "cases": [{{"name": "{text}", "reproduction": "", "replay": "",
                "verdict": "failed", "why": null, "failures": [{{"kind": "atomicity", "group": "atomic", "severity": "bug",
                "failure": "f1", "step": 1, "line": 1, "text": "{text}"}}], "foreseen": [], "seconds": 0.0, "calls": 0,
                "failed_calls": 0, "nvram_commands": 0, "commits": 0, "erases": 0, "bytes_programmed": 0, "log": []}}]}}]}}"#
        );
        Document::read(text.as_bytes()).expect("a report")
    }

    #[test]
    fn each_finding_of_the_merged_report_names_its_failure() {
        for (texts, failures) in [(["x", "y"], 2), (["x", "x"], 1)] {
            let merged = run(texts[0]).merge(run(texts[1])).expect("two shards");
            let Document::Run(report) = merged else { panic!("not a report of run") };
            assert_eq!((report.passed, report.failed, report.scenarios.len()), (2, 2, 1));
            assert_eq!(report.failures.len(), failures);
            assert_eq!(report.failures.iter().map(|failure| failure.count).sum::<usize>(), 4);
            for finding in report.scenarios[0].cases.iter().flat_map(|case| &case.failures) {
                let named = report.failures.iter().find(|failure| failure.id == finding.failure);
                assert_eq!(named.expect("a failure with this id").text, finding.text);
            }
        }
    }

    #[test]
    fn reports_without_shards_are_refused() {
        let wear = || Document::Wear(WearReport::default());
        assert_eq!(wear().merge(wear()), Err(MergeError::NoShards("wear")));
        assert_eq!(run("x").merge(wear()), Err(MergeError::Commands("run", "wear")));
    }
}
