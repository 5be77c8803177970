//! The findings that do not make a run fail, by severity and group.

use std::collections::BTreeMap;

use super::{FileReport, finding_text};
use runner::Severity;
use scenario::Group;

/// Prints the findings that do not make a run fail: for each severity and group the number of cases, and the first finding
/// with the command that repeats its case.
pub fn print_allowed(files: &[FileReport]) {
    let outcomes = files.iter().flat_map(|file| &file.cases);
    let mut kinds: BTreeMap<(Severity, Group), (usize, String)> = BTreeMap::new();
    for outcome in outcomes.filter(|outcome| outcome.report.verdict == runner::Verdict::Passed) {
        let mut of_case = BTreeMap::new();
        for finding in &outcome.report.failures {
            of_case.entry((finding.severity, finding.group)).or_insert(finding);
        }
        for (kind, finding) in of_case {
            let example =
                || format!("{}\n       reproduce: {}", finding_text(finding), outcome.run);
            kinds.entry(kind).or_insert_with(|| (0, example())).0 += 1;
        }
    }
    for ((severity, group), (cases, example)) in kinds.iter().rev() {
        let cases = if *cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
        outln!(
            "{} in {cases}, {} ({}); for example:",
            severity.name(),
            group.title(),
            group.name()
        );
        outln!("{example}");
    }
}
