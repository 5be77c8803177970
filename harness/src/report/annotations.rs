//! Failures as annotations of a forge.

use lab_report::{CasesReport, Failure, Severity};

/// The forge that reads the annotations on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Forge {
    /// GitHub Actions
    Github,
}

/// Prints an annotation for each failure.
pub fn print_annotations(forge: Forge, report: &CasesReport) {
    match forge {
        Forge::Github => {
            let failures = report.failures.iter();
            failures.for_each(|failure| crate::console::write_workflow_command(&github(failure)));
        }
    }
}

/// A workflow command of GitHub Actions.
fn github(failure: &Failure) -> String {
    let command = match failure.severity {
        Severity::Bug => "error",
        Severity::Risk => "warning",
        Severity::Advice => "notice",
    };
    let times = match failure.cases.len() {
        1 => String::new(),
        cases => format!(" in {cases} cases"),
    };
    let title = format!("{}{times}: {}", failure.kind, failure.title);
    let hint = failure.hint.as_deref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    let message = format!("{}{hint}\nreproduce: {}", failure.text, failure.reproduce);
    format!(
        "::{command} file={},line={},title={}::{}",
        property(&failure.file),
        failure.line.max(1),
        property(&title),
        data(&message)
    )
}

/// Escapes the message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_failure_can_end_the_property_or_the_command() {
        let failure = Failure {
            id: "f1".to_owned(),
            group: "survives".to_owned(),
            severity: Severity::Bug,
            kind: "durability".to_owned(),
            count: 3,
            cases: vec!["a".to_owned(), "b".to_owned()],
            text: "100% lost\n::error::forged".to_owned(),
            title: "one, two: three".to_owned(),
            file: "a,b:c.toml".to_owned(),
            line: 7,
            case: "a".to_owned(),
            step: 2,
            step_text: "boot = {}".to_owned(),
            call: None,
            expected: Vec::new(),
            found: Vec::new(),
            hint: None,
            reproduce: "leaselab run a".to_owned(),
            replay: String::new(),
        };
        assert_eq!(
            github(&failure),
            "::error file=a%2Cb%3Ac.toml,line=7,title=durability in 2 cases%3A one%2C two%3A three::\
             100%25 lost%0A::error::forged%0Areproduce: leaselab run a"
        );
    }
}
