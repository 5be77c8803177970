//! The files of a failed case that `--keep` keeps.

use std::path::Path;

use super::FileReport;
use super::document::cases_report;
use super::failure_text::{Detail, failure_lines};
use super::output::write_atomically;
use crate::error::CommandError;
use runner::CaseReport;
use scenario::Case;

/// Writes the scenario, the findings, the logs, flash, RAM and the files of the router to a subfolder named after the case.
///
/// # Errors
/// When a file cannot be written.
pub fn keep(folder: &Path, case: &Case, report: &CaseReport) -> Result<(), CommandError> {
    let folder = folder.join(backend::file_name_of(&case.name()));
    let fail = |error: std::io::Error| CommandError::file(&folder, error);
    // Programs of the router chose the names of its files, so the names may be hostile.
    let opened = backend::create_own_folder(&folder).map_err(fail)?;
    let file = FileReport::of_one(case, report.clone());
    let failures = cases_report(None, &[file], &[]).failures;
    let findings = failures.iter().flat_map(|failure| failure_lines(failure, Detail::All));
    let findings: Vec<String> =
        findings.map(|line| format!("{}\n", anstream::adapter::strip_str(&line))).collect();
    write_atomically(&folder.join("scenario.toml"), case.source.text.as_bytes())?;
    write_atomically(&folder.join("findings.txt"), findings.concat().as_bytes())?;
    write_atomically(&folder.join("calls.txt"), (report.log.join("\n") + "\n").as_bytes())?;
    if !report.daemon_log.is_empty() {
        write_atomically(&folder.join("dnsmasq.log"), &report.daemon_log)?;
    }
    if let Some(machine) = &report.machine {
        write_atomically(&folder.join("flash.bin"), &machine.flash_bytes())?;
        if let Some(ram) = machine.ram_bytes() {
            write_atomically(&folder.join("staging"), &ram)?;
        }
    }
    for (name, files) in [("files-in-ram", &report.files.ram), ("files", &report.files.persistent)]
    {
        if !files.0.is_empty() {
            let kept = backend::create_own_folder(&opened.path().join(name)).map_err(fail)?;
            // The path of an open folder is a symbolic link to it; with the dot, it is a path to the folder itself.
            files.write(&kept.path().join(".")).map_err(fail)?;
        }
    }
    Ok(())
}
