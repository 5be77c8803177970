//! Renders the page of any document.

use askama::Template as _;

use super::cases_page::CasesPage;
use super::crash_page::CrashPage;
use super::head::Head;
use super::wear_page::WearPage;
use crate::cases::CasesReport;
use crate::document::{Document, WriteError};

/// Renders a document as a self-contained HTML page. The page loads no other resources and works when opened from a
/// file.
///
/// # Errors
/// Returns an error if the template cannot be rendered.
pub fn page(document: &Document) -> Result<String, WriteError> {
    let command = document.command();
    let text = match document {
        Document::Check(report)
        | Document::Run(report)
        | Document::Live(report)
        | Document::Qemu(report) => cases(command, report)?,
        Document::Crash(report) => {
            let sections = vec![
                ("verdict", "Verdict"),
                ("failures", "Broken states"),
                ("coverage", "Where power was cut"),
            ];
            let title = title(command, report.script.as_deref());
            let has_failures = !report.failures.is_empty();
            let head = Head { title, version: &report.leaselab, sections, has_failures };
            CrashPage::new(head, report).render()?
        }
        Document::Wear(report) => {
            let sections = vec![("life", "Life"), ("blocks", "Blocks"), ("numbers", "Numbers")];
            let title = title(command, None);
            let head = Head { title, version: &report.leaselab, sections, has_failures: false };
            WearPage::new(head, report).render()?
        }
    };
    Ok(text)
}

fn cases(command: &str, report: &CasesReport) -> Result<String, askama::Error> {
    let sections = vec![("verdict", "Verdict"), ("failures", "Failures"), ("cases", "Cases")];
    let title = title(command, report.script.as_deref());
    let has_failures = !report.failures.is_empty();
    let head = Head { title, version: &report.leaselab, sections, has_failures };
    CasesPage::new(head, report).render()
}

fn title(command: &str, script: Option<&str>) -> String {
    match script {
        Some(script) => format!("leaselab {command} · {script}"),
        None => format!("leaselab {command}"),
    }
}
