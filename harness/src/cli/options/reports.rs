//! Reports for other programs.

use std::path::PathBuf;

use lab_report::Document;

use crate::error::CommandError;
use crate::report;

/// Where reports are written.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli) struct ReportOptions {
    /// Write a JUnit report with a test for each case
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) junit: Option<PathBuf>,
    /// Write a JSON report, from which `leaselab report` makes a page
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
    /// Write one self-contained HTML page
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) html: Option<PathBuf>,
}

impl ReportOptions {
    /// Checks that the files can be written, before any work is done.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub(in crate::cli) fn check_writable(&self) -> Result<(), CommandError> {
        report::check_writable(self.junit.iter().chain(&self.json).chain(&self.html))
    }

    /// Writes the JSON report and the page.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(in crate::cli) fn write(&self, document: &Document) -> Result<(), CommandError> {
        if let Some(path) = &self.json {
            report::write_json(path, document)?;
        }
        if let Some(path) = &self.html {
            report::write_html(path, document)?;
        }
        Ok(())
    }
}
